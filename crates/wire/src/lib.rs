//! Generated gRPC code of the protos in `proto/`, and the little that it takes to speak it over one's own connections.

mod connection;

pub use connection::Served;
pub use tonic::transport::Channel;

/// KEDA's contract for external scalers (`proto/externalscaler.proto`).
#[allow(missing_docs, clippy::pedantic, reason = "generated")]
pub mod externalscaler {
    tonic::include_proto!("externalscaler");
}

/// The encoded `FileDescriptorSet` of every proto here, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
