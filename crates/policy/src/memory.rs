//! [`Memory`]: what a [`Planner`](crate::Planner) would lose if its process ended.

use serde::{Deserialize, Serialize};
use series::{Load, Timestamp};

use crate::Comparison;
use crate::fleet::FleetMemory;
use crate::prices::Lessons;

/// What a planner has learned of a target, to be kept beside the outlook and handed to whoever plans next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    pub(crate) at: Timestamp,
    pub(crate) fleet: FleetMemory,
    pub(crate) published: Published,
    pub(crate) lessons: Option<Lessons>,
    pub(crate) comparison: Option<Comparison>,
}

/// The values published since the estimated fleet was last moved.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Published {
    /// The lowest of them, or none where there were errors alone.
    pub(crate) lowest: Option<Load>,
    /// The newest; none where that was an error.
    pub(crate) newest: Option<Load>,
}

impl Memory {
    /// When the plan was made that it ends with: of two memories of a target the later one is to be kept.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl Published {
    /// Takes in what was published.
    pub(crate) fn add(&mut self, value: Option<Load>) {
        self.newest = value;
        if let Some(value) = value {
            self.lowest = Some(self.lowest.filter(|lowest| *lowest <= value).unwrap_or(value));
        }
    }
}
