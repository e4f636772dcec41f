//! How long a fit and a forecast take, by the length of the history, and what peers take for the same.
//!
//! The load is made: a day with two peaks, quieter weekends, noise and spikes, by the minute.

#![expect(clippy::expect_used, reason = "a benchmark stops at the first thing that is wrong")]

use std::hint::black_box;
use std::time::Duration;

use benches::engine::Engine;
use benches::naive::Naive;
use benches::peer::Peer;
use benches::trace::Trace;
use benches::{engine, made_load};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use forecasting::fit;

/// What the service keeps.
const DAYS: u32 = 14;
const LEAD_TIME: Duration = Duration::from_mins(5);

fn fits(criterion: &mut Criterion) {
    let settings = engine::settings(LEAD_TIME);
    let mut group = criterion.benchmark_group("fit, days of minutes");
    group.sample_size(10);
    for days in [1, 3, DAYS, 50, 100, 400] {
        let history = made_load(days);
        group.bench_with_input(BenchmarkId::from_parameter(days), &history, |bencher, history| {
            bencher.iter(|| fit(black_box(history), &settings).expect("a fit"));
        });
    }
}

fn forecast(criterion: &mut Criterion) {
    let history = made_load(DAYS);
    let fitted = fit(&history, &engine::settings(LEAD_TIME)).expect("a fit");
    criterion.bench_function("forecast, 14 days of minutes", |bencher| {
        bencher.iter(|| fitted.forecast(black_box(&history)).expect("a forecast"));
    });
}

/// What one sample more costs between two fits: all that `Engine::refresh` does then.
fn update(criterion: &mut Criterion) {
    let longer = made_load(DAYS);
    let newest = longer.end().expect("samples");
    let history = longer.until(longer.step().shift(newest, -1));
    let mut engine = Engine::new(LEAD_TIME);
    engine.refresh(&history);
    criterion.bench_function("update, one sample more", |bencher| {
        bencher.iter_batched_ref(|| engine.clone(), |engine| engine.refresh(black_box(&longer)), BatchSize::LargeInput);
    });
}

/// The same history for others. Each fits and forecasts an hour; a naive forecast is made anew from its rule.
fn peers(criterion: &mut Criterion) {
    let trace = Trace::new("made", made_load(DAYS));
    let (origin, horizons) = (trace.values.len() - 1, trace.horizons());
    let mut group = criterion.benchmark_group("peers, 14 days of minutes");
    group.sample_size(10);
    for (name, peer) in
        [("augurs MSTL[day] + AutoETS", Peer::MstlDay), ("augurs MSTL[day,week] + AutoETS", Peer::MstlWeek)]
    {
        group.bench_function(name, |bencher| {
            bencher.iter(|| peer.forecast(black_box(&trace), origin, &horizons).expect("a forecast"));
        });
    }
    group.bench_function("seasonal naive, yesterday's values", |bencher| {
        let yesterday = trace.values.len() - 1440;
        bencher.iter(|| black_box(&trace.values)[yesterday..yesterday + 60].to_vec());
    });
    group.bench_function("seasonal naive with quantiles", |bencher| {
        bencher.iter(|| Naive::Day.forecast(black_box(&trace), origin, &horizons).expect("a forecast"));
    });
}

criterion_group!(forecasting, fits, forecast, update, peers);
criterion_main!(forecasting);
