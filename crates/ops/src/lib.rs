//! What every server needs beside its work: a clock, a stop signal, readiness that is earned, logs, and the HTTP
//! endpoints for probes and Prometheus.

mod clock;
mod http;
mod readiness;
mod stop;
mod telemetry;

pub use clock::SystemClock;
pub use http::serve;
pub use readiness::{Latch, Readiness};
pub use stop::on_signal;
pub use telemetry::{LogFormat, TelemetryError, init};
