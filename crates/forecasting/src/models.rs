//! The models, one room each, with its page: equation, symbols, source, minimum data, parameters.
//!
//! All of them work on the root scale of the load with its gaps filled, know nothing of each other, and are put into service
//! by the engine alone.

pub mod calendar;
mod contest;
mod correction;
pub mod holt_winters;
pub mod periodic;
pub mod persistence;
#[cfg(test)]
mod rehearsals;
pub mod ridge;
pub mod seasonal_median;
pub mod seasonal_naive;
pub mod theta;
