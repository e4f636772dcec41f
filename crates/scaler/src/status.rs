//! From our errors to gRPC statuses: the message is what users read in the events of their ScaledObject.

use policy::NoPlan;
use series::FaultKind;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::limits::NoSeat;
use crate::metadata::Mistakes;

/// Every mistake in one `INVALID_ARGUMENT`, in the message and as field violations.
pub(crate) fn of_mistakes(mistakes: &Mistakes) -> Status {
    let violations: Vec<_> =
        mistakes.iter().map(|mistake| FieldViolation::new(mistake.field.clone(), mistake.to_string())).collect();
    Status::with_error_details(Code::InvalidArgument, mistakes.to_string(), ErrorDetails::with_bad_request(violations))
}

/// Whose move it is: the operator's of this scaler, or the namespace's.
pub(crate) fn of_no_seat(no_seat: NoSeat) -> Status {
    Status::new(Code::ResourceExhausted, no_seat.to_string())
}

/// KEDA takes every code for a failure and holds; the code tells people and dashboards whose move it is.
pub(crate) fn of_no_plan(no_plan: &NoPlan) -> Status {
    let code = match no_plan {
        NoPlan::NotYet => Code::FailedPrecondition,
        NoPlan::OutOfDate { .. } => Code::Unavailable,
        NoPlan::SourceFailing(fault) => match fault.kind {
            FaultKind::Unreachable
            | FaultKind::ServerError
            | FaultKind::Throttled
            | FaultKind::Redirect
            | FaultKind::NotPrometheus => Code::Unavailable,
            FaultKind::Timeout => Code::DeadlineExceeded,
            FaultKind::BadQuery | FaultKind::SeveralSeries | FaultKind::WrongType => Code::InvalidArgument,
            FaultKind::Unauthorized | FaultKind::Forbidden => Code::PermissionDenied,
            FaultKind::TooLarge => Code::ResourceExhausted,
            FaultKind::Empty | FaultKind::NotALoad => Code::FailedPrecondition,
        },
    };
    Status::new(code, no_plan.to_string())
}
