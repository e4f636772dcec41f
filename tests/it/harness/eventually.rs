//! Waiting for what another process does, with a bound that ends the run and judges no speed.

use std::time::Duration;

/// The longest wait: it is reached only where something hangs.
const LONGEST: Duration = Duration::from_secs(90);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// The answer of the first attempt that succeeds.
///
/// # Panics
/// Where none does in time, with what the last one said.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    let mut last = String::from("no attempt ended");
    let attempts = async {
        loop {
            match attempt().await {
                Ok(answer) => return answer,
                Err(reason) => last = reason,
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let answer = tokio::time::timeout(LONGEST, attempts).await.ok();
    answer.unwrap_or_else(|| panic!("{what} did not happen: {last}"))
}

/// What `future` gives, or a panic where it hangs.
pub(crate) async fn bounded<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONGEST, future).await.unwrap_or_else(|_| panic!("{what} hangs"))
}
