//! What every server needs beside its work: a clock, a stop signal, readiness that is earned, logs, runtimes, connections with TLS,
//! and the HTTP endpoints for probes and Prometheus.

mod clock;
mod hangup;
mod hosts;
mod http;
mod incoming;
mod process;
mod readiness;
mod runtimes;
mod stop;
mod telemetry;
mod tls;

pub use clock::SystemClock;
pub use hangup::Hangups;
pub use hosts::{HostPattern, HostPatternError, Hosts};
pub use http::serve;
pub use incoming::{Connection, incoming};
pub use process::Held;
pub use readiness::{Latch, Readiness};
pub use runtimes::Runtimes;
pub use stop::on_signal;
pub use telemetry::{Filter, FilterError, LogFormat, Logging, LoggingError, init};
pub use tls::{Tls, TlsError, TlsFiles};
