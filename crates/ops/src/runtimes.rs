//! [`Runtimes`]: one for answers and one for the work behind them, so that no work keeps an answer waiting.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// How far the threads of the work stand back, in steps of `nice`: where both want a core the answers get it at once, and three quarters of it: calls
/// without end must leave the work some.
#[cfg(target_os = "linux")]
const STANDS_BACK: i32 = 5;

/// The runtimes of a process that answers while it works.
///
/// What is polled on one never waits for a task of the other, and where the two want the same core the operating system prefers the one for
/// answers (on Linux).
#[derive(Debug)]
pub struct Runtimes {
    // dropped first: it hands tasks to the other
    answers: Runtime,
    work: Runtime,
}

impl Runtimes {
    /// Starts both.
    ///
    /// # Errors
    /// Where the operating system gives no threads.
    pub fn start() -> io::Result<Self> {
        let answers = Builder::new_multi_thread().thread_name("answers").enable_all().build()?;
        let work =
            Builder::new_multi_thread().thread_name("work").on_thread_start(standing_back()).enable_all().build()?;
        Ok(Self { answers, work })
    }

    /// Where answers are given.
    pub fn answers(&self) -> Handle {
        self.answers.handle().clone()
    }

    /// Runs `work` to its end, with all that it spawns.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.work.block_on(work)
    }
}

/// Has a thread stand back behind this one. Nobody needs a right for that; should it fail the thread works on as it is.
#[cfg(target_os = "linux")]
fn standing_back() -> impl Fn() + Send + Sync + 'static {
    use rustix::process::{getpriority_process, setpriority_process};
    // not behind the thread that starts it: that may stand back itself
    let stands_back = getpriority_process(None).map(|own| own + STANDS_BACK);
    move || {
        if let Err(error) = stands_back.and_then(|priority| setpriority_process(None, priority)) {
            tracing::debug!(%error, "a thread does not stand back");
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn standing_back() -> impl Fn() + Send + Sync + 'static {
    || ()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_stands_back_on_all_its_threads_and_answers_do_not() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let own = priority();
        let runtimes = Runtimes::start().unwrap();
        let answers = runtimes.answers();
        let (worker, apart, answering, answering_apart) = runtimes.run(async {
            (
                tokio::spawn(async move { priority() }).await.unwrap(),
                tokio::task::spawn_blocking(priority).await.unwrap(),
                answers.spawn(async move { priority() }).await.unwrap(),
                answers.spawn_blocking(priority).await.unwrap(),
            )
        });
        // nothing stands further back than that
        let back = (own + STANDS_BACK).min(19);
        assert_eq!((worker, apart), (back, back));
        assert_eq!((answering, answering_apart), (own, own));
    }
}
