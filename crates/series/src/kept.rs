//! What of a history outlives a process: [`KeptHistory`] as it is read back, [`HistoryUpdate`] as it is written, page by page.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{Series, Step};

/// Samples of a page. A history that has grown by some samples has changed in the newest page alone, which takes 4 KB.
const PAGE: u32 = 1024;

/// What was kept of one target's past.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptHistory {
    /// The samples as they were answered.
    pub history: Series,
    /// What forecasts had taught in use, as who learned it wrote it down: nobody else reads it.
    pub learned: Option<Arc<str>>,
}

/// What has changed of one target's past since it was last kept.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryUpdate {
    /// The samples from the beginning of the first page that has changed.
    changed: Series,
    /// Whether they take the place of all that was kept.
    pub is_whole: bool,
    /// The page of the oldest sample that is still wanted.
    pub oldest: i64,
    /// What forecasts have taught by now.
    pub learned: Option<Arc<str>>,
}

/// A run of samples that is kept in one piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Which one, counted since the epoch: page `n` begins at `n` times 1,024 steps.
    pub number: i64,
    /// Its samples, as far as they are asked for: a first page may begin late, and the newest one ends early.
    pub samples: Series,
}

impl HistoryUpdate {
    /// What of `history` is to be kept where it is known up to `kept_until`, or all of it; `None` where there are no samples.
    pub fn since(kept_until: Option<Timestamp>, history: &Series, learned: Option<Arc<str>>) -> Option<Self> {
        let step = history.step();
        let oldest = page_of(step, history.start());
        let first = kept_until.map_or(oldest, |until| page_of(step, until).max(oldest));
        let before = index_of(history, first_time(step, first));
        let changed = history.newest(history.len() - before.min(history.len()));
        (!changed.is_empty()).then_some(Self { changed, is_whole: kept_until.is_none(), oldest, learned })
    }

    /// How many samples have changed, and go along with those.
    pub fn samples(&self) -> usize {
        self.changed.len()
    }

    /// The pages that have changed, oldest first.
    pub fn pages(&self) -> impl Iterator<Item = Page> + '_ {
        let step = self.changed.step();
        let last = page_of(step, self.changed.end().unwrap_or(self.changed.start()));
        (page_of(step, self.changed.start())..=last).map(move |number| {
            let first = index_of(&self.changed, first_time(step, number));
            let until = step.shift(first_time(step, number + 1), -1);
            Page { number, samples: self.changed.newest(self.changed.len() - first).until(until) }
        })
    }
}

impl KeptHistory {
    /// The history that `pages`, oldest first, make together: the newest of them without a hole between. `None` where there is none.
    pub fn of(pages: impl DoubleEndedIterator<Item = Series>, learned: Option<Arc<str>>) -> Option<Self> {
        let mut run: Vec<Series> = Vec::new();
        for page in pages.rev() {
            if run.last().is_some_and(|next| next.step() != page.step() || next.start() != page.next_time()) {
                break;
            }
            run.push(page);
        }
        let oldest = run.last()?;
        let samples = run.iter().rev().flat_map(Series::samples);
        let history = Series::from_samples(oldest.start(), oldest.step(), samples).ok()?;
        (!history.is_empty()).then_some(Self { history, learned })
    }
}

/// The page that holds `time`.
fn page_of(step: Step, time: Timestamp) -> i64 {
    time.as_second().div_euclid(seconds(step))
}

fn first_time(step: Step, page: i64) -> Timestamp {
    Timestamp::from_second(page.saturating_mul(seconds(step))).unwrap_or(Timestamp::MAX)
}

fn seconds(step: Step) -> i64 {
    // a thousand days at most
    i64::from(step.seconds()) * i64::from(PAGE)
}

/// The place of the first sample at or after `time`.
fn index_of(series: &Series, time: Timestamp) -> usize {
    let passed = time.as_second() - series.start().as_second();
    usize::try_from(passed.max(0) / i64::from(series.step().seconds())).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GapReason, Load, Sample};

    const STEP: Step = Step::MINUTE;

    /// So many minutes from minute `first` on, one in seven of them missing.
    fn minutes(first: i64, count: i64) -> Series {
        let sample = |minute: i64| match minute % 7 {
            0 => Sample::Gap(GapReason::NoSample),
            _ => Sample::Value(Load::new(minute as f64).unwrap()),
        };
        let start = Timestamp::from_second(60 * first).unwrap();
        Series::from_samples(start, STEP, (first..first + count).map(sample)).unwrap()
    }

    fn pages(kept_until: Option<i64>, history: &Series) -> Vec<Page> {
        let until = kept_until.map(|minute| Timestamp::from_second(60 * minute).unwrap());
        HistoryUpdate::since(until, history, None).unwrap().pages().collect()
    }

    fn numbers(pages: &[Page]) -> Vec<(i64, usize)> {
        pages.iter().map(|page| (page.number, page.samples.len())).collect()
    }

    #[test]
    fn a_history_is_cut_at_whole_pages_and_put_together_again() {
        let history = minutes(1000, 3000);
        let all = pages(None, &history);
        assert_eq!(numbers(&all), [(0, 24), (1, 1024), (2, 1024), (3, 928)]);
        let back = KeptHistory::of(all.into_iter().map(|page| page.samples), None).unwrap();
        assert_eq!(back.history, history);
    }

    #[test]
    fn what_has_grown_changes_its_newest_pages_alone() {
        let history = minutes(1000, 3000);
        assert_eq!(numbers(&pages(Some(3999), &history)), [(3, 928)]);
        assert_eq!(numbers(&pages(Some(3000), &history)), [(2, 1024), (3, 928)]);
        assert_eq!(numbers(&pages(Some(10), &history))[0], (0, 24), "no further back than it goes");
        let update = HistoryUpdate::since(None, &minutes(5000, 10), None).unwrap();
        assert!(update.is_whole && update.oldest == 4);
        assert_eq!(HistoryUpdate::since(None, &minutes(5000, 0), None), None);
    }

    #[test]
    fn pages_before_a_hole_are_left_out() {
        let parts = [minutes(0, 1024), minutes(2048, 1024), minutes(3072, 5)];
        let back = KeptHistory::of(parts.into_iter(), None).unwrap();
        assert_eq!(back.history, minutes(2048, 1029));
        assert_eq!(KeptHistory::of(std::iter::empty(), None), None);
    }
}
