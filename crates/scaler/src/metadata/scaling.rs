//! How to scale: load per pod, when to be active, how sure to be, what to do with the forecast, and which model makes it.

use policy::{Mode, ServiceLevel, ServiceLevelError, Threshold, Tolerance};
use series::{Load, ModelChoice, ModelName};

use super::advice::slip_of;
use super::fields::{Fields, Read};
use super::keys::{self, Key};
use super::mistake::Fault;
use super::scalars::{number, share};

/// What holds where neither `slo` nor `quantile` nor `costRatio` is written.
const DEFAULT_SLO: f64 = 0.99;

/// The load one pod can carry.
pub(super) fn read_threshold(fields: &mut Fields<'_>) -> Option<Threshold> {
    fields.required(&keys::THRESHOLD, "the load one pod can carry, such as \"12\"", |value| {
        Threshold::new(number(value)?).map_err(|error| Fault::new("out of range", error.to_string()))
    })
}

/// The load above which the workload is active.
pub(super) fn read_activation(fields: &mut Fields<'_>) -> Option<Load> {
    fields.or_default(&keys::ACTIVATION_THRESHOLD, Load::ZERO, "0", |value| {
        let range = "must lie from -9.2e15 to 9.2e15, the most that KEDA can carry";
        Load::new(number(value)?).map_err(|_| Fault::new("out of range", range))
    })
}

/// How sure the fleet must be to be large enough: at most one of three keys says it.
pub(super) fn read_service_level(fields: &mut Fields<'_>) -> Option<ServiceLevel> {
    let default = ServiceLevel::slo(DEFAULT_SLO).ok();
    let ways: [(&Key, Read<ServiceLevel>); 3] = [
        (&keys::SLO, fields.read(&keys::SLO, |value| level(value, ServiceLevel::slo))),
        (&keys::QUANTILE, fields.read(&keys::QUANTILE, |value| level(value, ServiceLevel::of_quantile))),
        (
            &keys::COST_RATIO,
            fields.read(&keys::COST_RATIO, |value| {
                ServiceLevel::cost_ratio(number(value)?).map_err(|error| Fault::new("out of range", error.to_string()))
            }),
        ),
    ];
    let written: Vec<_> = ways.into_iter().filter(|(_, read)| !matches!(read, Read::Unwritten)).collect();
    match written.as_slice() {
        [] => fields.or_default(&keys::SLO, default, "99%", |_| Ok(None)).flatten(),
        [(_, Read::Value(level))] => Some(*level),
        [_] => None,
        [(first, _), further @ ..] => {
            for (key, _) in further {
                let problem = format!("says in another way what `{}` says", first.name);
                fields.note(key.name, None, Fault::new(problem, "write one of `slo`, `quantile` and `costRatio`"));
            }
            None
        }
    }
}

/// How far from its target the HPA lets the value be before it acts.
pub(super) fn read_hpa_tolerance(fields: &mut Fields<'_>) -> Option<Tolerance> {
    fields.or_default(&keys::HPA_TOLERANCE, Tolerance::DEFAULT, Tolerance::DEFAULT, |value| {
        Tolerance::new(share(value)?).map_err(|error| Fault::new("out of range", error.to_string()))
    })
}

/// What is done with the forecast.
pub(super) fn read_mode(fields: &mut Fields<'_>) -> Option<Mode> {
    fields.or_default(&keys::MODE, Mode::default(), Mode::default(), |value| {
        value.parse().map_err(|error: policy::UnknownMode| {
            let modes = [Mode::Predict, Mode::Shadow, Mode::Reactive].map(Mode::as_str);
            choice_fault("no mode", value, &modes, &error.to_string())
        })
    })
}

/// Which model forecasts.
pub(super) fn read_model(fields: &mut Fields<'_>) -> Option<ModelChoice> {
    const AUTO: &str = "auto";
    fields.or_default(&keys::MODEL, ModelChoice::Auto, AUTO, |value| {
        if value == AUTO {
            return Ok(ModelChoice::Auto);
        }
        value.parse::<ModelName>().map(ModelChoice::Fixed).map_err(|error| {
            let names: Vec<_> =
                std::iter::once(AUTO).chain(ModelName::ALL.iter().map(|model| model.as_str())).collect();
            choice_fault("no model", value, &names, &format!("{error}; auto chooses among them"))
        })
    })
}

/// A share within the range of service levels. 99.5 without its percent sign is so common that it gets its own words.
fn level(value: &str, of: impl Fn(f64) -> Result<ServiceLevel, ServiceLevelError>) -> Result<ServiceLevel, Fault> {
    let share = share(value)?;
    let instead = "write 99.5% or 0.995; it must lie from 0.5 (50%) to 0.999 (99.9%)";
    of(share).map_err(|_| Fault::new("out of range", instead))
}

/// A mistaken choice. A slip of the pen is named, since a value that comes from a list holds no secret.
fn choice_fault(problem: &str, value: &str, choices: &[&str], all: &str) -> Fault {
    match slip_of(value, choices.iter().copied()) {
        Some(choice) => Fault::new(problem, format!("did you mean {choice}? {all}")),
        None => Fault::new(problem, all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_lost_its_percent_sign_is_told_so() {
        let fault = level("99.5", ServiceLevel::slo).unwrap_err();
        assert_eq!(fault.instead, "write 99.5% or 0.995; it must lie from 0.5 (50%) to 0.999 (99.9%)");
        assert_eq!(level("99.9%", ServiceLevel::slo), Ok(ServiceLevel::slo(0.999).unwrap()));
    }

    #[test]
    fn a_slip_in_a_choice_is_named() {
        let fault = choice_fault("no mode", "Shadow", &["predict", "shadow"], "the modes are predict, shadow");
        assert_eq!(fault.instead, "did you mean shadow? the modes are predict, shadow");
        let fault = choice_fault("no mode", "off", &["predict", "shadow"], "the modes are predict, shadow");
        assert_eq!(fault.instead, "the modes are predict, shadow");
    }
}
