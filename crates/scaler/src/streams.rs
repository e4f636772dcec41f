//! The two push streams of KEDA's `external-push` triggers. Both end with OK when the server stops: KEDA resets its
//! reconnect backoff on nothing else.

use std::sync::Arc;
use std::time::Duration;

use series::Clock;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use wire::externalscaler::IsActiveResponse;

use crate::seat::Hold;

/// How often a stream looks at the plan between two outlooks: the demand can pass the activation threshold by time alone.
const LOOK: Duration = Duration::from_secs(5);

/// `true` on open where the workload is active, and on every change to active after that; until `stop`.
///
/// Changes to inactive are not sent: KEDA has ignored them since 2.18, and every repeated `true` would restart its cooldown.
pub(crate) fn activations(
    seat: Hold,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> impl Stream<Item = Result<IsActiveResponse, Status>> + Send {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut publications = seat.publications();
        let mut was_active = false;
        loop {
            // without a plan nothing is known to have changed
            let is_active = seat.plan(clock.now()).map_or(was_active, |plan| plan.active);
            if is_active && !was_active && sender.send(Ok(IsActiveResponse { result: true })).await.is_err() {
                return;
            }
            was_active = is_active;
            tokio::select! {
                () = stop.cancelled() => return,
                () = sender.closed() => return,
                _ = publications.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
    ReceiverStream::new(receiver)
}

/// `first` at once, then nothing more until `stop`: what it speaks of never changes for one trigger.
pub(crate) fn once_then_open<T: Send + 'static>(
    first: T,
    stop: CancellationToken,
) -> impl Stream<Item = Result<T, Status>> + Send {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        if sender.send(Ok(first)).await.is_ok() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = sender.closed() => {}
            }
        }
    });
    ReceiverStream::new(receiver)
}
