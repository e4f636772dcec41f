//! [`Prepared`]: a past whose usual values stand in tables, for a fit that asks for each of them many times.

use crate::past::{Calendar, Past};
use crate::values::{USUAL_DAYS, Values, trimmed};

/// The past, with what is usual made once for every place from `first` on.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    past: &'a Past,
    first: usize,
    tables: Vec<Table>,
}

/// What is usual with one half width, from the first place on.
#[derive(Debug)]
struct Table {
    half: usize,
    usual: Vec<f64>,
}

impl<'a> Prepared<'a> {
    /// Tables of the half widths `halves` for the places from `first` on; what is asked of earlier ones is made then.
    pub(super) fn new(past: &'a Past, first: usize, halves: impl Iterator<Item = usize>) -> Self {
        let tables = halves.map(|half| Table { half, usual: usual(past, first, half) }).collect();
        Self { past, first, tables }
    }
}

impl Values for Prepared<'_> {
    fn calendar(&self) -> &Calendar {
        self.past.calendar()
    }

    fn last(&self) -> usize {
        self.past.last()
    }

    fn value(&self, index: usize) -> f64 {
        self.past.value(index)
    }

    fn is_known(&self, index: usize) -> bool {
        self.past.is_known(index)
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        self.past.mean(from, to)
    }

    fn unrest(&self, from: usize, to: usize) -> f64 {
        self.past.unrest(from, to)
    }

    fn usual(&self, newest: usize, half: usize, origin: usize) -> f64 {
        let table = self.tables.iter().find(|table| table.half == half);
        match (table, newest.checked_sub(self.first)) {
            // the tables look past no origin as long as all of the newest mean lies before it
            (Some(table), Some(place)) if newest + half <= origin => table.usual[place],
            _ => self.past.usual(newest, half, origin),
        }
    }
}

/// What is usual from place `first` on, where everything is known.
fn usual(past: &Past, first: usize, half: usize) -> Vec<f64> {
    let last = past.last();
    let Some(day) = past.calendar().even_day() else {
        return (first..=last).map(|place| past.usual(place, half, last)).collect();
    };
    // a day's values beside those of the days before it, one day after the other
    let oldest = first.saturating_sub((USUAL_DAYS - 1) * day);
    let means: Vec<f64> = (oldest..=last).map(|place| past.centered(place, half, last)).collect();
    let mut sums = means[first - oldest..].to_vec();
    let (mut lows, mut highs) = (sums.clone(), sums.clone());
    for days in 1..USUAL_DAYS {
        // so many places have no such day before them
        let without = (days * day).saturating_sub(first);
        let before = &means[(first + without).saturating_sub(days * day + oldest)..];
        for (place, &mean) in (without..sums.len()).zip(before) {
            sums[place] += mean;
            lows[place] = lows[place].min(mean);
            highs[place] = highs[place].max(mean);
        }
    }
    let count = |place: usize| 1 + (place / day).min(USUAL_DAYS - 1);
    (first..=last)
        .zip(sums)
        .zip(lows.into_iter().zip(highs))
        .map(|((place, sum), (low, high))| trimmed(sum, low, high, count(place)))
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::scale::Scale;
    use crate::testing::{normals, past, series};

    const DAY: usize = 1440;

    fn loads(days: usize) -> Vec<Option<f64>> {
        normals(3, days * DAY).into_iter().map(|noise| Some(100.0 + 10.0 * noise)).collect()
    }

    #[test]
    fn tables_say_what_is_worked_out_without_them() {
        let even = past(&loads(9));
        let history = series(&loads(9));
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let uneven = Past::new(&history, Scale::of(&history), &zone).unwrap();
        for past in [even, uneven] {
            for first in [0, 700, 3 * DAY + 5, 8 * DAY] {
                let prepared = Prepared::new(&past, first, [0, 7, 28].into_iter());
                for newest in (0..past.last()).step_by(97).chain([past.last() - 3, past.last()]) {
                    for half in [0, 5, 7, 28] {
                        for origin in [newest, newest + 10, newest + 28, past.last()] {
                            let origin = origin.min(past.last());
                            let (tabled, plain) =
                                (prepared.usual(newest, half, origin), past.usual(newest, half, origin));
                            assert!((tabled - plain).abs() < 1e-9, "{newest} ± {half} at {origin}: {tabled}, {plain}");
                        }
                    }
                }
            }
        }
    }
}
