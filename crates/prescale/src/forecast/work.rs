//! Many series on several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use series::{Forecast, NoForecast, Series};

use crate::input::Named;

/// The forecasts of all series, each made by `forecast` of its place, in their order; `progress` hears how many are done.
pub(super) fn all(
    named: &[Named],
    threads: NonZeroUsize,
    forecast: impl Fn(usize, &Series) -> Result<Forecast, NoForecast> + Sync,
    mut progress: impl FnMut(usize),
) -> Vec<Result<Forecast, NoForecast>> {
    let next = AtomicUsize::new(0);
    let mut outcomes: Vec<Result<Forecast, NoForecast>> = named.iter().map(|_| Err(NoForecast::NotYet)).collect();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(named.len()) {
            let (sender, next, forecast) = (sender.clone(), &next, &forecast);
            scope.spawn(move || {
                while let Some((place, one)) = take(named, next) {
                    let outcome = forecast(place, &one.series);
                    if sender.send((place, outcome)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (place, outcome)) in receiver.iter().enumerate() {
            outcomes[place] = outcome;
            progress(done + 1);
        }
    });
    outcomes
}

fn take<'a>(named: &'a [Named], next: &AtomicUsize) -> Option<(usize, &'a Named)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    named.get(place).map(|one| (place, one))
}
