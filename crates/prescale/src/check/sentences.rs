//! What a valid trigger would do, in plain sentences.

use policy::{Mode, ServiceLevel, Target};
use scaler::{Readable, Review};
use series::{MissingSamples, ModelChoice, PrometheusQuery, Seasons};

/// What the trigger would do, one sentence per line.
pub(super) fn of(review: &Review) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(target) = &review.target {
        sentences.extend(asking(&target.request.query));
        sentences.push(forecasting(target));
        if target.mode != Mode::Reactive {
            sentences.push(level(target));
        }
        sentences.push(format!(
            "One pod carries {}; the workload is active while demand is above {}.",
            target.threshold.get(),
            target.activation
        ));
    } else {
        sentences.push(format!(
            "Valid as far as it shows here: {} from the environment of the workload, and KEDA leaves out what it cannot find there.",
            match review.from_environment.as_slice() {
                [key] => format!("{key} comes"),
                keys => format!("{} come", keys.join(", ")),
            }
        ));
    }
    let defaults: Vec<_> = review.defaults.iter().map(|default| format!("{} {}", default.key, default.value)).collect();
    if !defaults.is_empty() {
        sentences.push(format!("Not written, so by default: {}.", defaults.join(", ")));
    }
    sentences
}

fn asking(query: &PrometheusQuery) -> Vec<String> {
    let server = query.server.as_ref().map_or("the scaler's default Prometheus", series::ServerAddress::as_str);
    let mut ways = Vec::new();
    if let Some(credentials) = &query.credentials {
        ways.push(format!("with the scaler's credentials {credentials}"));
    }
    if !query.headers.is_empty() {
        let names: Vec<_> = query.headers.iter().map(|(name, _)| name.as_str()).collect();
        ways.push(format!("with the header {}", names.join(", ")));
    }
    if !query.parameters.is_empty() {
        let names: Vec<_> = query.parameters.iter().map(|(name, _)| name.as_str()).collect();
        ways.push(format!("with the parameter {}", names.join(", ")));
    }
    if let Some(namespace) = &query.namespace {
        ways.push(format!("for the namespace {namespace}"));
    }
    if query.accept_any_certificate {
        ways.push("accepting any certificate".to_owned());
    }
    if let Some(timeout) = query.timeout {
        ways.push(format!("waiting up to {}", Readable(timeout)));
    }
    let ways = if ways.is_empty() { String::new() } else { format!(", {}", ways.join(", ")) };
    let missing = match query.missing_samples {
        MissingSamples::Unknown => "A missing sample is an unknown load.",
        MissingSamples::Zero => "A missing sample is a load of zero.",
    };
    let promql = query.promql.split_whitespace().collect::<Vec<_>>().join(" ");
    vec![format!("Asks {server} for {promql}{ways}."), missing.to_owned()]
}

fn forecasting(target: &Target) -> String {
    let request = &target.request;
    if target.mode == Mode::Reactive {
        return "Publishes the observed load and makes no forecast (mode: reactive).".to_owned();
    }
    let model = match request.model {
        ModelChoice::Auto => "with whichever model is best at that".to_owned(),
        ModelChoice::Fixed(model) => format!("with the model {model}"),
    };
    let seasons = match &request.seasons {
        Seasons::Found => String::new(),
        Seasons::Stated(seasons) => {
            let seasons: Vec<_> = seasons.iter().map(|season| Readable(*season).to_string()).collect();
            format!(" and the seasons {} alone", seasons.join(", "))
        }
    };
    let forecast = format!(
        "orecasts {} ahead from {} of history, a sample every {}, {model}{seasons}; days begin at midnight in {}.",
        Readable(request.lead_time),
        Readable(request.history),
        Readable(request.step.duration()),
        request.timezone
    );
    match target.mode {
        Mode::Shadow => {
            format!("Publishes the observed load; f{forecast} The forecast is recorded only (mode: shadow).")
        }
        Mode::Predict | Mode::Reactive => format!("F{forecast}"),
    }
}

fn level(target: &Target) -> String {
    let quantile = (target.service_level.quantile().get() * 1e4).round() / 1e4;
    match target.service_level {
        ServiceLevel::Slo(share) => format!(
            "Enough pods for {}% of the time, as few as that takes; on the first day, ready for the {quantile} quantile of demand.",
            (share.get() * 1e6).round() / 1e4
        ),
        ServiceLevel::Quantile(_) => format!("Is ready for the {quantile} quantile of demand."),
        ServiceLevel::CostRatio(ratio) => {
            format!("A missing pod costs {ratio} times a surplus one: is ready for the {quantile} quantile of demand.")
        }
    }
}
