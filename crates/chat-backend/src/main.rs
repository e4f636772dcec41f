//! The workload that the manifests scale: an OpenAI-compatible chat service that answers at the pace of a small language
//! model, or passes requests on to a real one; and the load generator to try it with. It knows nothing of the scaler.

mod answers;
mod load;
mod openai;
mod serve;
mod sessions;

use clap::{Parser, Subcommand};

/// A chat service to scale, and load for it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Settings>),
    Load(load::Settings),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).init();
    match Arguments::parse().command {
        Command::Serve(settings) => serve::run(*settings).await,
        Command::Load(settings) => load::run(&settings).await,
    }
}
