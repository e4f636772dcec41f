//! The one integration binary: the real `prescale` process against a real Prometheus, a faulty one, and KEDA's client.
//!
//! Tests of a real server pass, after saying so, where its program is missing; with `CI=true` or
//! `PRESCALE_REQUIRE_SERVERS=1` they fail instead.
#![cfg(test)]

mod backtest;
mod cli;
mod conformance;
mod documents;
mod end_to_end;
mod examples;
mod faults;
mod harness;
mod keda_client;
mod lifecycle;
mod redis;
mod reload;
mod roles;
mod servers;
mod skew;
mod soak;
mod status;
mod streams;
#[cfg(target_os = "linux")]
mod threads;
mod tls;
mod versions;
