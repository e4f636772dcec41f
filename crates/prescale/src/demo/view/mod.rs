//! What the demo shows: [`Show`] as it happens, and [`summary()`] at the end.

mod chart;
mod frame;
mod paint;
mod plain;
mod screen;
mod show;
mod summary;
#[cfg(test)]
mod tests;

pub(super) use frame::Frame;
pub(super) use show::Show;
pub(super) use summary::{Summary, summary};
