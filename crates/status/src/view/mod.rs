//! What is shown of a record: the types of the API's answers, and the sentences in them.

mod ahead;
mod comparison;
mod detail;
mod metadata;
mod moment;
mod numbers;
mod story;
mod summary;
#[cfg(test)]
mod tests;
mod trust;

pub(crate) use detail::Detail;
pub(crate) use moment::Moment;
pub(crate) use summary::Summary;
