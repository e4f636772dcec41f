//! Real life as made series: what goes wrong with sources, services and their users, and that forecasts stay usable through it.
#![expect(clippy::unwrap_used, reason = "a test that cannot build its history has failed")]

use std::time::Duration;

use forecasting::{FEWEST_SAMPLES, Fitted, Seasons, Settings, fit};
use jiff::tz::TimeZone;
use series::{Forecast, GapReason, Load, ModelChoice, NoForecast, Quantile, Sample, Series, Step, Timestamp};

const HOUR: usize = 60;
const DAY: usize = 24 * HOUR;
const MONDAY: i64 = 1_704_672_000;
/// The compared horizon of the settings below: a lead time of 4 minutes, and one step in which the plan is read.
const AHEAD: usize = 5;

fn settings() -> Settings {
    Settings {
        lead_time: Duration::from_mins(4),
        model: ModelChoice::Auto,
        timezone: TimeZone::UTC,
        seasons: Seasons::Found,
        horizon: None,
    }
}

fn sample(load: Option<f64>) -> Sample {
    load.map_or(Sample::Gap(GapReason::NoSample), |amount| Sample::Value(Load::new(amount).unwrap()))
}

fn every(seconds: u32, loads: impl IntoIterator<Item = Option<f64>>) -> Series {
    let step = Step::from_seconds(seconds).unwrap();
    let start = step.floor(Timestamp::from_second(MONDAY).unwrap());
    Series::from_samples(start, step, loads.into_iter().map(sample)).unwrap()
}

fn minutes(loads: &[f64]) -> Series {
    every(60, loads.iter().copied().map(Some))
}

fn normals(seed: u64, count: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut normal = || (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos();
    (0..count).map(|_| normal()).collect()
}

/// What a day of minutes usually is: 180 at 6 o'clock, 20 at 18.
fn usual(minute: usize) -> f64 {
    100.0 + 80.0 * (std::f64::consts::TAU * minute as f64 / DAY as f64).sin()
}

/// Minutes of a load with noise that grows with the root of the level.
fn noisy(seed: u64, count: usize, level: impl Fn(usize) -> f64) -> Vec<f64> {
    let noise = normals(seed, count).into_iter().enumerate();
    noise.map(|(i, noise)| (level(i) + level(i).sqrt() * noise).max(0.0)).collect()
}

/// The quantile of `level` so many minutes ahead.
fn at(forecast: &Forecast, ahead: usize, level: f64) -> f64 {
    let time = forecast.origin() + Duration::from_mins(ahead as u64);
    forecast.quantile(time, Quantile::new(level).unwrap()).unwrap().get()
}

fn median(forecast: &Forecast, ahead: usize) -> f64 {
    at(forecast, ahead, 0.5)
}

fn near(value: f64, expected: f64, share: f64) -> bool {
    (value - expected).abs() <= share * expected
}

/// The forecast, after a look at all of it: finite, ordered, not below zero where the history is not, and no wider than is of use.
fn looked_at(forecast: Forecast, history: &Series) -> Forecast {
    looked_at_below(2.0, forecast, history)
}

/// As [`looked_at`], where the .99 quantile may be so many `times` the largest load seen.
fn looked_at_below(times: f64, forecast: Forecast, history: &Series) -> Forecast {
    let known = || (0..history.len()).filter_map(|index| history.load(index)).map(Load::get);
    let (least, most) = known().fold((f64::MAX, 0.0_f64), |(least, most), load| (least.min(load), most.max(load)));
    let high = forecast.levels().iter().position(|level| level.get() >= 0.99).unwrap();
    assert_eq!(Some(forecast.origin()), history.end());
    for horizon in forecast.horizons() {
        let loads: Vec<f64> = horizon.quantiles.iter().map(|load| load.get()).collect();
        assert!(loads.iter().all(|load| load.is_finite()) && loads.is_sorted(), "{horizon:?}");
        assert!(least < 0.0 || loads[0] >= 0.0, "{horizon:?}");
        assert!(history.known() < 300 || loads[high] <= times * most, "{horizon:?} after at most {most}");
    }
    forecast
}

fn forecast(history: &Series) -> Forecast {
    looked_at(fit(history, &settings()).unwrap().forecast(history).unwrap(), history)
}

/// A fit in use, in the rhythm of the service: learn, fit anew where due, forecast.
struct Service {
    fitted: Fitted,
    history: Series,
}

impl Service {
    fn starting(history: &[f64]) -> Self {
        let history = minutes(history);
        Self { fitted: fit(&history, &settings()).unwrap(), history }
    }

    fn hear(&mut self, load: f64) {
        self.history.push(sample(Some(load)));
        self.fitted.learn(&self.history);
        if self.fitted.is_due(&self.history) {
            self.fitted = self.fitted.refit(&self.history).unwrap();
        }
    }

    fn forecast(&self) -> Forecast {
        self.fitted.forecast(&self.history).unwrap()
    }

    /// The share of the rest of `loads` that is not above the quantile foretold [`AHEAD`].
    fn coverage(&mut self, loads: &[f64], level: f64) -> f64 {
        let from = self.history.len();
        let mut covered = 0.0;
        for index in from..loads.len() {
            let foretold = at(&self.forecast(), AHEAD.min(loads.len() - index), level);
            covered += f64::from(u8::from(loads[(index + AHEAD - 1).min(loads.len() - 1)] <= foretold));
            self.hear(loads[index]);
        }
        covered / (loads.len() - from) as f64
    }
}

#[test]
fn gaps_of_minutes_to_days_leave_the_forecast_near_the_usual() {
    let loads = noisy(1, 10 * DAY, usual);
    let gaps =
        [(300, 3), (DAY + 200, 25), (2 * DAY + 360, 2 * HOUR), (3 * DAY + 500, DAY), (6 * DAY + 100, 5 * DAY / 2)];
    for blind in [0, 1, 12, 5 * HOUR, DAY + 77] {
        let lost =
            |i: usize| gaps.iter().any(|&(from, count)| (from..from + count).contains(&i)) || i >= 10 * DAY - blind;
        let history = every(60, loads.iter().enumerate().map(|(i, load)| (!lost(i)).then_some(*load)));
        let forecast = forecast(&history);
        for ahead in [AHEAD, 2 * HOUR, 6 * HOUR, 10 * HOUR] {
            let (got, usual) = (median(&forecast, ahead), usual(ahead - 1));
            assert!(near(got, usual, 0.12), "{blind} minutes blind, {ahead} ahead: {got}, not {usual}");
        }
    }
}

#[test]
fn an_outage_of_three_hours_is_not_what_tomorrow_will_be() {
    let out = 5 * DAY + 5 * HOUR..5 * DAY + 8 * HOUR;
    let mut loads = noisy(2, 6 * DAY, usual);
    loads[out.clone()].fill(0.0);
    let forecast_at = |end: usize| forecast(&minutes(&loads[..end]));
    for (end, least) in [(out.end + HOUR, 0.9), (6 * DAY, 0.6)] {
        let tomorrow = out.start + DAY + 90 - end;
        let (got, usual) = (median(&forecast_at(end), tomorrow), usual(6 * HOUR + 30));
        // the day of the outage is one of the few that tell what is usual
        assert!(got > least * usual && got < 1.2 * usual, "seen from {end}: {got}, not {usual}");
    }
    // in use, it is soon over it
    let mut service = Service::starting(&loads[..out.start]);
    loads[out.start..out.end + 20].iter().for_each(|load| service.hear(*load));
    let (got, usual) = (median(&looked_at(service.forecast(), &service.history), AHEAD), usual(out.end + 20));
    assert!(near(got, usual, 0.15), "{got}, not {usual}");
}

#[test]
fn a_doubled_level_is_believed_within_two_hours() {
    for seed in [3, 4] {
        let moved = 5 * DAY + 10 * HOUR;
        let level = |i: usize| if i < moved { usual(i) } else { 2.0 * usual(i) };
        let loads = noisy(seed, moved + 2 * HOUR + DAY, level);
        let mut service = Service::starting(&loads[..moved]);
        loads[moved..moved + 2 * HOUR].iter().for_each(|load| service.hear(*load));
        let (got, now) = (median(&service.forecast(), AHEAD), level(moved + 2 * HOUR + AHEAD - 1));
        assert!(near(got, now, 0.1), "{got}, not {now}");
        let coverage = service.coverage(&loads, 0.9);
        assert!((0.86..0.95).contains(&coverage), "{coverage}");
        // a day of two levels in the memory makes the far bands wide
        looked_at_below(4.0, service.forecast(), &service.history);
    }
}

/// What is foretold three hours ahead, as a multiple of `level` then, so many minutes after `moved`, the end of the first history.
fn three_hours_ahead(seed: u64, moved: usize, after: &[usize], level: impl Fn(usize) -> f64) -> Vec<f64> {
    let last = after.iter().copied().max().unwrap_or(0);
    let loads = noisy(seed, moved + last, &level);
    let mut service = Service::starting(&loads[..moved]);
    let mut foretold = Vec::new();
    for minute in 0..=last {
        if after.contains(&minute) {
            foretold.push(median(&service.forecast(), 3 * HOUR) / level(moved + minute + 3 * HOUR - 1));
        }
        if minute < last {
            service.hear(loads[moved + minute]);
        }
    }
    foretold
}

#[test]
fn three_hours_ahead_a_doubled_level_is_followed_after_an_hour_and_a_half() {
    let followed = |hour: usize| {
        let moved = 6 * DAY + hour * HOUR;
        let level = |i: usize| if i < moved { usual(i) } else { 2.0 * usual(i) };
        let foretold = three_hours_ahead(hour as u64, moved, &[80, 90, 100, 110], level);
        foretold.iter().sum::<f64>() / foretold.len() as f64
    };
    let followed = [4, 10, 16].map(followed);
    assert!(followed.iter().all(|part| (0.65..1.4).contains(part)), "{followed:?}");
}

#[test]
fn three_hours_ahead_a_crowd_of_an_hour_is_not_expected_to_stay() {
    let foretold = [4, 10, 16].map(|hour| {
        let moved = 6 * DAY + hour * HOUR;
        let came = |i: usize| if (moved..moved + HOUR).contains(&i) { 5.0 * usual(i) } else { usual(i) };
        three_hours_ahead(hour as u64, moved, &[20, 40, 55, 90, 105, 120], came)
    });
    for foretold in &foretold {
        // while it lasts no one knows that it leaves, and it is believed to stay in part
        let (during, after) = foretold.split_at(3);
        assert!(during.iter().sum::<f64>() / 3.0 < 4.0, "{foretold:?}");
        assert!(after.iter().all(|times| (0.7..1.35).contains(times)), "{foretold:?}");
    }
}

#[test]
fn the_hour_after_a_level_has_doubled_is_covered_but_for_its_first_minutes() {
    for seed in [3, 4] {
        let moved = 5 * DAY + 10 * HOUR;
        let loads = noisy(seed, moved + HOUR, |i| if i < moved { usual(i) } else { 2.0 * usual(i) });
        let mut service = Service::starting(&loads[..moved]);
        // what comes until then was foretold before the level moved, or with hardly a sample of the new one
        loads[moved..moved + AHEAD].iter().for_each(|load| service.hear(*load));
        let coverage = service.coverage(&loads, 0.9);
        assert!((0.7..1.0).contains(&coverage), "{coverage}");
    }
}

#[test]
fn growth_of_two_percent_a_day_is_kept_up_with() {
    let level = |i: usize| usual(i) * 1.02_f64.powf(i as f64 / DAY as f64);
    let loads = noisy(5, 15 * DAY, level);
    let mut service = Service::starting(&loads[..14 * DAY]);
    let first = looked_at(service.forecast(), &service.history);
    for ahead in [AHEAD, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR] {
        let (got, then) = (median(&first, ahead), level(14 * DAY + ahead - 1));
        assert!(near(got, then, 0.06), "{ahead}: {got}, not {then}");
    }
    let coverage = service.coverage(&loads, 0.9);
    assert!((0.87..0.94).contains(&coverage), "{coverage}");
}

#[test]
fn a_crowd_that_came_once_is_not_expected_in_full_tomorrow() {
    let crowd = 5 * DAY + 9 * HOUR..5 * DAY + 10 * HOUR;
    let level = |i: usize| if crowd.contains(&i) { 5.0 * usual(i) } else { usual(i) };
    let loads = noisy(6, 6 * DAY, level);
    for end in [crowd.end + 30, crowd.end + 3 * HOUR, 6 * DAY] {
        let history = minutes(&loads[..end]);
        let forecast = looked_at_below(3.0, fit(&history, &settings()).unwrap().forecast(&history).unwrap(), &history);
        for minute in [10, 30, 50] {
            let (got, usual) = (median(&forecast, crowd.start + DAY + minute + 1 - end), usual(9 * HOUR + minute));
            // the day of the crowd is one of the few that tell what is usual
            assert!((0.8..1.4).contains(&(got / usual)), "{minute} past, seen from {end}: {got}, not {usual}");
        }
    }
}

#[test]
fn spikes_every_half_hour_are_foretold_at_their_minute_and_no_other() {
    let spikes = |i: usize| if i % 30 == 17 { 200.0 } else { 50.0 };
    let loads = noisy(7, 5 * DAY, spikes);
    for end in [4 * DAY + 13, 4 * DAY + 13 + 90, 4 * DAY + 13 + 10 * HOUR] {
        // the newest sample is that of minute 12 of the half hour
        let forecast = forecast(&minutes(&loads[..end]));
        let at_spike = median(&forecast, AHEAD);
        assert!(near(at_spike, 200.0, 0.1), "{at_spike}");
        for ahead in (1..19).filter(|ahead| *ahead != AHEAD) {
            assert!(median(&forecast, ahead) < 65.0, "{ahead}: {}", median(&forecast, ahead));
        }
    }
}

#[test]
fn a_working_day_of_history_is_enough_to_foretell_spikes_at_their_minute() {
    let loads = noisy(7, 2 * DAY, |i| if i % 30 == 17 { 200.0 } else { 50.0 });
    for hours in [8, 12, 24, 30, 40] {
        let forecast = forecast(&minutes(&loads[..hours * HOUR + 13]));
        let at_spike = median(&forecast, AHEAD);
        assert!((150.0..230.0).contains(&at_spike), "{hours} hours: {at_spike}");
        for ahead in (1..19).filter(|ahead| *ahead != AHEAD) {
            assert!(median(&forecast, ahead) < 70.0, "{hours} hours, {ahead}: {}", median(&forecast, ahead));
        }
    }
}

#[test]
fn two_gaps_of_days_do_not_bend_the_day_ahead() {
    let loads = noisy(21, 10 * DAY, usual);
    for gaps in [
        [(3 * DAY, DAY), (6 * DAY + 100, 2 * DAY)],
        [(2 * DAY + 300, 3 * DAY), (7 * DAY, 30 * HOUR)],
        [(5 * DAY, 2 * DAY), (8 * DAY, DAY + 300)],
    ] {
        let lost = |i: usize| gaps.iter().any(|&(from, count)| (from..from + count).contains(&i));
        let forecast = forecast(&every(60, loads.iter().enumerate().map(|(i, load)| (!lost(i)).then_some(*load))));
        for ahead in [AHEAD, 2 * HOUR, 6 * HOUR, 10 * HOUR, 14 * HOUR, 18 * HOUR, 22 * HOUR, 24 * HOUR] {
            let (got, usual) = (median(&forecast, ahead), usual(ahead - 1));
            assert!(near(got, usual, 0.2), "{gaps:?}, {ahead} ahead: {got}, not {usual}");
        }
    }
}

#[test]
fn a_load_that_rests_most_of_the_time_is_covered_and_not_overdone() {
    let mut random = fastrand::Rng::with_seed(8);
    let mut working = false;
    let mut load = |noise: f64| {
        // runs of 15 minutes on average, 35 minutes of rest
        let turns = if working { 1.0 / 15.0 } else { 1.0 / 35.0 };
        working ^= random.f64() < turns;
        if working { (100.0 + 10.0 * noise).max(0.0) } else { 0.0 }
    };
    let loads: Vec<f64> = normals(8, 5 * DAY).into_iter().map(&mut load).collect();
    let resting = loads.iter().filter(|load| **load == 0.0).count() as f64 / loads.len() as f64;
    assert!(near(resting, 0.7, 0.1), "{resting}");
    let mut service = Service::starting(&loads[..4 * DAY]);
    looked_at(service.forecast(), &service.history);
    let coverage = service.coverage(&loads, 0.9);
    assert!((0.86..0.95).contains(&coverage), "{coverage}");
}

#[test]
fn counts_of_nought_one_and_two_are_forecast_as_such() {
    let mut random = fastrand::Rng::with_seed(9);
    let mut count = || {
        let chance = random.f64();
        f64::from(u8::from(chance < 0.3)) + f64::from(u8::from(chance < 0.08))
    };
    let loads: Vec<f64> = (0..4 * DAY).map(|_| count()).collect();
    let mut service = Service::starting(&loads[..3 * DAY]);
    let first = looked_at_below(3.0, service.forecast(), &service.history);
    for ahead in [1, AHEAD, 2 * HOUR, 20 * HOUR] {
        let (middle, high) = (median(&first, ahead), at(&first, ahead, 0.99));
        assert!(middle < 0.2 && (1.5..2.7).contains(&high), "{ahead}: {middle} and {high}");
    }
    let coverage = service.coverage(&loads, 0.95);
    assert!((0.93..0.98).contains(&coverage), "{coverage}");
    for seconds in [15, 600] {
        forecast(&every(seconds, loads.iter().copied().map(Some)));
    }
}

#[test]
fn a_constant_is_forecast_as_itself_without_a_band() {
    for amount in [0.0, 1e-9, 7.0, 1e12] {
        for (seconds, count) in [(60, 3 * DAY), (60, 20), (15, 5000), (3600, 400)] {
            let history = every(seconds, (0..count).map(|_| Some(amount)));
            let forecast = forecast(&history);
            let strays = |load: &Load| (load.get() - amount).abs() > 1e-6 * amount;
            let stray = forecast.horizons().find(|horizon| horizon.quantiles.iter().any(strays));
            assert!(stray.is_none(), "{amount} every {seconds} s: {stray:?}");
        }
    }
}

#[test]
fn one_point_and_two_are_refused_and_ten_give_a_band_around_them() {
    let loads = [50.0, 55.0, 48.0, 52.0, 51.0, 47.0, 53.0, 56.0, 49.0, 50.0];
    for count in [1, 2] {
        let error = fit(&minutes(&loads[..count]), &settings()).unwrap_err();
        assert_eq!(error, NoForecast::TooLittleHistory { known: count, needed: FEWEST_SAMPLES });
    }
    for count in FEWEST_SAMPLES..=10 {
        let forecast = forecast(&minutes(&loads[..count]));
        let (low, middle, high) = (at(&forecast, AHEAD, 0.1), median(&forecast, AHEAD), at(&forecast, AHEAD, 0.9));
        assert!((45.0..58.0).contains(&middle), "{count}: {middle}");
        assert!(low < middle && middle < high && high < 100.0, "{count}: {low}, {high}");
    }
}

#[test]
fn four_hundred_days_are_forecast_as_the_last_ones_were() {
    let level = |i: usize| usual(5 * i) * (1.0 + i as f64 / (400.0 * 288.0));
    let loads = noisy(10, 400 * 288, level);
    let forecast = forecast(&every(300, loads.into_iter().map(Some)));
    for ahead in [AHEAD, 6 * HOUR, 24 * HOUR] {
        let (got, then) = (median(&forecast, ahead), level(400 * 288 - 1 + ahead / 5));
        assert!(near(got, then, 0.05), "{ahead}: {got}, not {then}");
    }
}

#[test]
fn a_series_times_a_factor_gives_forecasts_times_the_factor() {
    let loads = noisy(11, 3 * DAY, usual);
    let times = |factor: f64, count: usize| forecast(&every(60, loads[..count].iter().map(|load| Some(load * factor))));
    for count in [10, 2 * HOUR, 3 * DAY] {
        let one = times(1.0, count);
        for factor in [1e-9, 1e-3, 3.0, 1e12] {
            for (plain, scaled) in one.horizons().zip(times(factor, count).horizons()) {
                for (plain, scaled) in plain.quantiles.iter().zip(&scaled.quantiles) {
                    let (plain, scaled) = (plain.get().min(Load::MAX / factor), scaled.get() / factor);
                    // a series rounds its samples by up to 6e-8 of their size
                    assert!(
                        (plain - scaled).abs() <= 1e-4 * plain + 1e-6 * 180.0,
                        "{count} times {factor}: {plain}, {scaled}"
                    );
                }
            }
        }
    }
}

#[test]
fn learning_never_looks_ahead() {
    let loads = noisy(12, 4 * DAY, usual);
    let lost = |i: usize| i > 3 * DAY && (i % 97 < 7 || (3 * DAY + 100..3 * DAY + 170).contains(&i));
    let whole = every(60, loads.iter().enumerate().map(|(i, load)| (!lost(i)).then_some(*load)));
    let until = |end: usize| whole.until(whole.time(end));
    let begun = fit(&until(3 * DAY), &settings()).unwrap();
    let mut steps = begun.clone();
    for end in 3 * DAY + 1..3 * DAY + 5 * HOUR {
        steps.learn(&until(end));
        if end % 50 == 0 {
            // learned at once: every sample but the newest then has a future that could be looked at
            let mut once = begun.clone();
            once.learn(&until(end));
            let now = until(end);
            assert_eq!(steps.forecast(&now).unwrap(), once.forecast(&now).unwrap(), "at {end}");
            assert_ne!(steps.forecast(&now).unwrap(), begun.forecast(&now).unwrap(), "nothing was learned by {end}");
        }
    }
}

#[test]
fn learning_the_same_history_again_changes_nothing() {
    let whole = minutes(&noisy(13, 3 * DAY, usual));
    let history = whole.until(whole.time(3 * DAY - 1));
    let mut fitted = fit(&whole.until(whole.time(3 * DAY - 2 * HOUR)), &settings()).unwrap();
    fitted.learn(&history);
    let (first, due) = (fitted.forecast(&history).unwrap(), fitted.is_due(&history));
    for again in [&history, &whole.until(whole.time(3 * DAY - HOUR)), &history] {
        fitted.learn(again);
    }
    assert_eq!((fitted.forecast(&history).unwrap(), fitted.is_due(&history)), (first, due));
}
