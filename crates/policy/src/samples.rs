//! [`Samples`]: which observations are news.

use series::{Observation, Outlook, Timestamp};

use crate::Target;

/// Takes one observation per step, so that each sample counts once however often it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Samples {
    /// The end of the newest step that was counted.
    pub(crate) counted: Timestamp,
}

impl Samples {
    /// The observation of `outlook`, where it ends a step that was not counted.
    pub(crate) fn next(&mut self, outlook: &Outlook, target: &Target) -> Option<Observation> {
        let seen = *outlook.observation.as_ref().ok()?;
        let step = target.request.step.duration();
        // a clock that jumped back begins anew
        let passed = seen.at.duration_since(self.counted);
        if passed.is_negative() && passed.unsigned_abs() > step {
            self.counted = seen.at;
        }
        if self.counted.saturating_add(step).is_ok_and(|next| seen.at < next) {
            return None;
        }
        self.counted = seen.at;
        Some(seen)
    }
}
