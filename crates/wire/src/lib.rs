//! Generated gRPC code of the protos in `proto/`, and the little that it takes to speak it over one's own connections.

mod channel;
mod connection;

pub use channel::{Dial, Dialing, Socket, connect};
pub use connection::Served;
pub use tonic::transport::Channel;

/// KEDA's contract for external scalers (`proto/externalscaler.proto`).
#[allow(missing_docs, clippy::pedantic, reason = "generated")]
pub mod externalscaler {
    tonic::include_proto!("externalscaler");
}

/// How the roles of Prescale speak with each other (`proto/prescale.proto`).
#[allow(missing_docs, clippy::pedantic, reason = "generated")]
pub mod prescale {
    tonic::include_proto!("prescale.v1");

    /// How the bytes in the messages are written down; raised whenever a version of before would read them wrongly.
    pub const FORMAT: u32 = 1;
}

/// The encoded `FileDescriptorSet` of every proto here, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
