//! [`play`]: the simulated day, tick by tick, for both fleets.

use std::io;
use std::time::Duration;

use series::{Load, Timestamp};
use simulator::{Scores, TICK};
use tokio::time::{Instant, sleep_until};

use super::demand::Demand;
use super::record::{Moment, Record};
use super::setup::Setup;
use super::stage::Stage;
use super::view::Frame;

/// How fast the day goes by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// So many simulated minutes in a second, or slower where the machine is.
    MinutesPerSecond(f64),
    /// As fast as it goes.
    Free,
}

/// How both fleets did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    pub(super) prescale: Scores,
    pub(super) reactive: Scores,
    /// How long Prescale's fleet was short during the burst that nothing hints at.
    pub(super) short_in_burst: Duration,
}

/// Plays the first `ticks` ticks of the day on `stage` and hands every moment to `show`, which is told of the last one.
pub(super) async fn play(
    setup: &Setup,
    demand: &Demand,
    stage: &mut Stage,
    ticks: usize,
    pace: Pace,
    mut show: impl FnMut(&Frame<'_>, bool) -> io::Result<()>,
) -> anyhow::Result<Outcome> {
    let mut record = Record::new(Demand::day_begins(), Demand::ticks());
    let first_load = demand.rate(Demand::day_begins()).unwrap_or(Load::ZERO);
    let mut reactive = setup.cluster(setup.target_at(setup.utilization)?, first_load);
    let first = stage.at(Demand::day_begins()).await?;
    let mut prescale = setup.cluster(first.target, first.value.unwrap_or(first_load));
    let begun = Instant::now();

    for tick in 0..ticks {
        let now = Demand::tick_begins(tick);
        if let Pace::MinutesPerSecond(minutes) = pace {
            sleep_until(begun + TICK.mul_f64(tick as f64 / (60.0 * minutes))).await;
        }
        let answer = stage.at(now).await?;
        let load = demand.from(now);
        let moment = Moment {
            load,
            prescale: prescale.tick(now, answer.value, load),
            reactive: reactive.tick(now, demand.rate(now), load),
        };
        record.moments.push(moment);
        let snapshot = stage.snapshot()?;
        let frame = Frame {
            now,
            setup,
            record: &record,
            load,
            forecast: snapshot.outlook.forecast.as_deref().ok(),
            plan: snapshot.plan.as_deref(),
            prescale: prescale.scores(),
            reactive: reactive.scores(),
        };
        show(&frame, tick + 1 == ticks)?;
    }
    let (Some(prescale), Some(reactive)) = (prescale.scores(), reactive.scores()) else {
        anyhow::bail!("a day without ticks");
    };
    Ok(Outcome { prescale, reactive, short_in_burst: short_in(&record, Demand::burst()) })
}

/// How long Prescale's fleet was short from `begin` to `end`.
fn short_in(record: &Record, (begin, end): (Timestamp, Timestamp)) -> Duration {
    let ticks = record.moments.iter().enumerate().filter(|(tick, moment)| {
        let at = Demand::tick_begins(*tick);
        begin <= at && at < end && moment.prescale.unmet > 0.0
    });
    TICK.saturating_mul(u32::try_from(ticks.count()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use simulator::Tick;

    use super::*;

    async fn first_half_hour(seed: u64) -> (Outcome, Vec<String>) {
        let setup = Setup::of_the_examples().unwrap();
        let demand = Arc::new(Demand::invent(seed));
        let (page, _) = crate::demo::stage::local_port().await.unwrap();
        let mut stage = Stage::set(&setup, Arc::clone(&demand), None, page).await.unwrap();
        let mut plans = Vec::new();
        let note = |frame: &Frame<'_>, _last: bool| {
            plans.push(frame.plan.map_or_else(ToString::to_string, |plan| format!("{}: {}", plan.value, plan.reason)));
            Ok(())
        };
        let outcome = play(&setup, &demand, &mut stage, 120, Pace::Free, note).await.unwrap();
        (outcome, plans)
    }

    #[test]
    fn a_shortage_is_counted_inside_the_window_alone() {
        let tick = |unmet| Tick { ready: 1, starting: 0, unmet };
        let mut record = Record::new(Demand::day_begins(), Demand::ticks());
        for unmet in [5.0, 0.0, 5.0, 5.0, 5.0] {
            record.moments.push(Moment { load: Load::ZERO, prescale: tick(unmet), reactive: tick(1.0) });
        }
        let window = (Demand::tick_begins(1), Demand::tick_begins(4));
        assert_eq!(short_in(&record, window), 2 * TICK);
    }

    #[tokio::test]
    async fn one_seed_makes_one_day_and_every_tick_has_a_forecast() {
        let (outcome, plans) = first_half_hour(5).await;
        assert_eq!(plans.len(), 120);
        assert!(plans.iter().all(|plan| plan.contains("forecast by")), "{}", plans[0]);
        assert_eq!(first_half_hour(5).await, (outcome, plans));
    }
}
