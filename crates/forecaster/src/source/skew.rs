//! [`Skew`]: how far the clock of a server is from ours, by the date of an answer; and [`Clocks`], which tells of those that
//! are far off.
//!
//! ```text
//!  asked ------------------ answered                 by our clock
//!            date ... date + 1 s                     by the server's
//!
//!  date - answered  <=  skew  <=  date + 1 s - asked
//! ```
//! A date has whole seconds, and the answer was begun at some moment between question and arrival: a slow answer tells little.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use series::{ServerAddress, Timestamp};
use tokio::time::Instant;

/// Two synchronized clocks differ by less than a second; by this much, forecasts are read at the wrong time.
const LARGE: SignedDuration = SignedDuration::from_secs(30);

/// A server that has not answered for so long is asked by nobody any more.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How far the clock of a server is ahead of ours: between these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Skew {
    least: SignedDuration,
    most: SignedDuration,
}

impl Skew {
    /// From the `date` of an answer to what was `asked`, by our clock, and whose head was there after it `took` so long.
    pub(super) fn measured(date: Timestamp, asked: Timestamp, took: Duration) -> Self {
        let since = date.duration_since(asked);
        let took = SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX);
        Self { least: since.saturating_sub(took), most: since.saturating_add(SignedDuration::from_secs(1)) }
    }

    /// The least that it can be, where that is large; above zero where the server's clock is ahead.
    pub(super) fn if_large(self) -> Option<SignedDuration> {
        if self.least > LARGE {
            Some(self.least)
        } else if self.most < -LARGE {
            Some(self.most)
        } else {
            None
        }
    }

    fn is_small(self) -> bool {
        self.least >= -LARGE && self.most <= LARGE
    }
}

/// The servers whose clocks are far from ours.
#[derive(Debug, Default)]
pub(super) struct Clocks(Mutex<HashMap<ServerAddress, Far>>);

#[derive(Debug)]
struct Far {
    skew: SignedDuration,
    seen: Instant,
}

impl Clocks {
    /// Takes in what an answer of `server` tells; logs when its clock turns out far off, and when it is right again. Gives
    /// the skew of the one that is farthest off, zero where none is.
    pub(super) fn heard(&self, server: &ServerAddress, skew: Skew) -> SignedDuration {
        let mut far = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(skew) = skew.if_large() {
            if far.insert(server.clone(), Far { skew, seen: Instant::now() }).is_none() {
                let skew_seconds = skew.as_secs();
                tracing::warn!(%server, skew_seconds, "clock of the server differs from ours, forecasts are read at the wrong time");
            }
        } else if skew.is_small() && far.remove(server).is_some() {
            tracing::info!(%server, "clock of the server agrees with ours again");
        }
        far.retain(|_, far| far.seen.elapsed() < REMEMBERED);
        far.values().map(|far| far.skew).max_by_key(|skew| skew.abs()).unwrap_or(SignedDuration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: i64 = 1_700_000_000;

    fn skew(ahead: i64, took: u64) -> Skew {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        Skew::measured(at(ASKED + ahead), at(ASKED), Duration::from_secs(took))
    }

    #[test]
    fn a_skew_is_the_least_that_date_and_duration_allow() {
        let seconds = |skew: Skew| skew.if_large().map(|skew| skew.as_secs());
        assert_eq!([30, 31, 3600].map(|ahead| seconds(skew(ahead, 0))), [None, Some(31), Some(3600)]);
        assert_eq!([-31, -32, -3600].map(|ahead| seconds(skew(ahead, 0))), [None, Some(-31), Some(-3599)]);
        // an answer that took its time was begun at any moment of it
        assert_eq!([60, 100].map(|ahead| seconds(skew(ahead, 60))), [None, Some(40)]);
        assert_eq!(seconds(skew(-60, 60)), Some(-59), "no answer is begun before the question");
        let ends = Skew::measured(Timestamp::MIN, Timestamp::MAX, Duration::MAX);
        assert!(ends.if_large().is_some() && !ends.is_small());
    }

    #[test]
    fn a_slow_answer_is_no_evidence_that_a_clock_is_right() {
        assert!(skew(0, 0).is_small() && skew(29, 0).is_small() && skew(-30, 0).is_small());
        assert!(!skew(30, 0).is_small() && !skew(0, 31).is_small());
    }

    #[tokio::test(start_paused = true)]
    async fn the_farthest_is_told_until_it_is_right_or_answers_no_more() {
        let clocks = Clocks::default();
        let [one, other]: [ServerAddress; 2] = ["http://one", "http://other"].map(|server| server.parse().unwrap());
        let heard = |server, skew| clocks.heard(server, skew).as_secs();
        assert_eq!(heard(&one, skew(0, 0)), 0);
        assert_eq!(heard(&one, skew(40, 0)), 40);
        assert_eq!(heard(&other, skew(-60, 0)), -59);
        assert_eq!(heard(&other, skew(0, 60)), -59, "that may be so or not");
        assert_eq!(heard(&other, skew(0, 1)), 40);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(heard(&other, skew(0, 1)), 0);
    }
}
