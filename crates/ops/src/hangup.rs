//! [`Hangups`]: the signal that asks to read the configuration anew.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The SIGHUPs that come. From the first of these on none of them ends the process.
#[derive(Debug)]
pub struct Hangups(Signal);

impl Hangups {
    /// Those that come from now on.
    ///
    /// # Errors
    /// Where the operating system refuses the signal handler.
    pub fn new() -> std::io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one; several at once may count as one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // no more signals can come
            std::future::pending::<()>().await;
        }
    }
}
