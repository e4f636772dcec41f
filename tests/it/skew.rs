//! Clocks that differ: that of `prescale` is shifted, since Prometheus, a Go program, cannot be given another one.

use crate::harness::clock::ShiftedClock;
use crate::harness::eventually::eventually;
use crate::harness::keda::{Keda, Trigger};
use crate::harness::load;
use crate::harness::prescale::Prescale;
use crate::harness::prometheus::Prometheus;

/// How far the clock of Prometheus is ahead, as the metrics tell it.
const SKEW: &str = "prescale_source_clock_skew_seconds";

const HOUR: f64 = 3600.0;

/// Triggers for which no sample is a zero: said in the query, and beside it.
fn triggers(url: &str) -> [Trigger; 2] {
    let trigger = |name| Trigger::quick(name, url).with("historyTimeWindow", "12h").with("queryStep", "1m");
    [
        trigger("or-zero").with("query", "sum(chat_load) or vector(0)"),
        trigger("trusting").with("query", "chat_load").with("ignoreNullValues", "true"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_or_behind_makes_no_zero_and_is_told_once() {
    let Some(clock) = ShiftedClock::new() else { return };
    let Some(prometheus) = Prometheus::with_history().await else { return };
    let triggers = triggers(&prometheus.url());
    for start in [2, -2] {
        clock.shift(start);
        let prescale = Prescale::serve_by(&clock, &["--prometheus", &prometheus.url()]).await;
        let keda = Keda::connect(prescale.grpc()).await;
        for trigger in &triggers {
            // no forecast stands behind the first answer
            let value = keda.value_at_last(trigger).await;
            assert!(value >= load::LEAST, "{trigger:?}: {value}");
        }
        let mut told = 0;
        for hours in [start, 0, -start, 0] {
            clock.shift(hours);
            told += usize::from(hours != 0);
            while_sound(&keda, &triggers, "the skew", async || {
                let skew = prescale.metric(SKEW, &[]).await.unwrap_or(f64::NAN);
                let expected = f64::from(-hours) * HOUR;
                if (skew - expected).abs() < 60.0 { Ok(()) } else { Err(format!("{skew}, not {expected}")) }
            })
            .await;
            while_sound(&keda, &triggers, "forecasts", async || forecasts_are_in_force(&prescale).await).await;
            assert_eq!(prescale.logged(&["clock of the server differs from ours"]), told);
        }
        assert_eq!(prescale.logged(&["clock of the server agrees with ours again"]), told);
        assert_eq!(prescale.logged(&["source failing"]), 0, "Prometheus answers all the time");
        // nothing of it is left
        while_sound(&keda, &triggers, "fresh forecasts", async || {
            for trigger in &triggers {
                let name = format!("name=\"{}\"", trigger.name);
                match prescale.metric("prescale_target_forecast_age_seconds", &[&name]).await {
                    Some(age) if (0.0..150.0).contains(&age) => {}
                    other => return Err(format!("{name}: {other:?}")),
                }
            }
            Ok(())
        })
        .await;
    }
}

/// Every value fits the load and every workload is active, for as long as it takes for `done`.
async fn while_sound(keda: &Keda, triggers: &[Trigger], what: &str, mut done: impl AsyncFnMut() -> Result<(), String>) {
    eventually(what, async || {
        for trigger in triggers {
            let value = keda.value(trigger).await.unwrap_or_else(|status| panic!("{trigger:?}: {status}"));
            assert!((load::LEAST..2.0 * load::MOST).contains(&value), "{trigger:?}: {value}");
            assert!(keda.is_active(trigger).await.expect("the value is known"), "{trigger:?}");
        }
        done().await
    })
    .await;
}

async fn forecasts_are_in_force(prescale: &Prescale) -> Result<(), String> {
    let (_, metrics) = prescale.get("/metrics").await;
    let reasons: Vec<_> =
        metrics.lines().filter(|line| line.starts_with("prescale_target_reason{") && line.ends_with(" 1")).collect();
    let rest_on_forecast = |line: &&str| {
        ["\"forecast\"", "\"last_forecast\"", "\"observation_above_forecast\""]
            .iter()
            .any(|reason| line.contains(reason))
    };
    if reasons.len() == 2 && reasons.iter().all(rest_on_forecast) { Ok(()) } else { Err(reasons.join("\n")) }
}
