//! What it costs to serve: real processes, a Prometheus that streams answers of real size, and a client that plays KEDA.
//!
//! Servers can be held to one core and the rest to another (`taskset`), so that what one of them costs is not paid by the other.

mod calls;
mod empty;
mod process;
mod prometheus;

pub use calls::{Calls, Latencies, Rate, Rpc};
pub use empty::serve_empty;
pub use process::{Process, Usage};
pub use prometheus::{Statistics, get, serve_prometheus, statistics};

use std::collections::HashMap;

use wire::externalscaler::ScaledObjectRef;

/// Namespaces that the targets are spread over.
const NAMESPACES: usize = 20;

/// What KEDA says of the `index`th trigger, whose load is asked of the server at `prometheus`.
pub fn trigger(index: usize, prometheus: &str) -> ScaledObjectRef {
    let query = format!(r#"sum(rate(http_requests_total{{app="workload-{index}"}}[1m]))"#);
    let own = [("serverAddress", prometheus), ("query", &query), ("historyTimeWindow", "14d"), ("queryStep", "1m")];
    let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let scaler_metadata: HashMap<_, _> = crate::metadata().into_iter().chain(own).collect();
    let namespace = format!("shop-{}", index % NAMESPACES);
    ScaledObjectRef { name: crate::object_name(index), namespace, scaler_metadata }
}
