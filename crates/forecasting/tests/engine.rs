//! The engine as its callers see it: what it chooses, how sure it is, what it refuses, and that it never looks ahead.
#![expect(clippy::unwrap_used, reason = "a test that cannot build its history has failed")]

use std::time::Duration;

use forecasting::{FEWEST_SAMPLES, Fitted, Seasons, Settings, fit};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use series::{
    ChoiceReason, Forecast, GapReason, Load, ModelChoice, ModelName, NoForecast, Quantile, Sample, Series, Step,
    Timestamp,
};

const DAY: usize = 1440;
const MONDAY: i64 = 1_704_672_000;

fn settings(lead_minutes: u64, model: ModelChoice) -> Settings {
    Settings {
        lead_time: Duration::from_mins(lead_minutes),
        model,
        timezone: TimeZone::UTC,
        seasons: Seasons::Found,
        horizon: None,
    }
}

fn automatic(lead_minutes: u64) -> Settings {
    settings(lead_minutes, ModelChoice::Auto)
}

fn every(seconds: u32, loads: impl IntoIterator<Item = Option<f64>>) -> Series {
    let step = Step::from_seconds(seconds).unwrap();
    let sample = |load: Option<f64>| match load {
        Some(amount) => Sample::Value(Load::new(amount).unwrap()),
        None => Sample::Gap(GapReason::NoSample),
    };
    let start = step.floor(Timestamp::from_second(MONDAY).unwrap());
    Series::from_samples(start, step, loads.into_iter().map(sample)).unwrap()
}

fn minutes(loads: impl IntoIterator<Item = f64>) -> Series {
    every(60, loads.into_iter().map(Some))
}

fn normals(seed: u64, count: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut normal = || (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos();
    (0..count).map(|_| normal()).collect()
}

/// Days of minutes with a sine of the day and noise that grows with the root of the level.
fn seasonal(seed: u64, days: usize) -> Vec<f64> {
    let level = |i: usize| 100.0 + 80.0 * (std::f64::consts::TAU * i as f64 / DAY as f64).sin();
    normals(seed, days * DAY).into_iter().enumerate().map(|(i, noise)| level(i) + level(i).sqrt() * noise).collect()
}

fn at(forecast: &Forecast, ahead_minutes: u64, level: f64) -> f64 {
    let time = forecast.origin() + Duration::from_mins(ahead_minutes);
    forecast.quantile(time, Quantile::new(level).unwrap()).unwrap().get()
}

fn forecast(history: &Series, settings: &Settings) -> Forecast {
    fit(history, settings).unwrap().forecast(history).unwrap()
}

fn chosen(fitted: &Fitted) -> ModelName {
    fitted.verdict().model
}

#[test]
fn three_samples_are_enough_and_two_are_not() {
    let two = every(60, [Some(1.0), None, Some(2.0), None]);
    let error = fit(&two, &automatic(3)).unwrap_err();
    assert_eq!(error, NoForecast::TooLittleHistory { known: 2, needed: FEWEST_SAMPLES });
    let three = every(60, [Some(10.0), None, Some(12.0), Some(11.0)]);
    let fitted = fit(&three, &automatic(3)).unwrap();
    assert!(matches!(fitted.verdict().reason, ChoiceReason::ShortHistory { samples: 3, needed } if needed > 3));
    let forecast = fitted.forecast(&three).unwrap();
    assert_eq!(forecast.model(), ModelName::Persistence);
    assert!((at(&forecast, 4, 0.5) - 11.0).abs() < 1e-5);
    assert!(at(&forecast, 4, 0.99) > 12.0 && at(&forecast, 4, 0.01) < 10.0);
}

#[test]
fn a_stated_model_is_used_or_refused() {
    let four_days = minutes(seasonal(3, 4));
    for model in [ModelName::Persistence, ModelName::SeasonalNaiveDay, ModelName::Ridge] {
        let fitted = fit(&four_days, &settings(3, ModelChoice::Fixed(model))).unwrap();
        assert_eq!((chosen(&fitted), fitted.verdict().reason), (model, ChoiceReason::StatedByUser));
        assert_eq!(fitted.verdict().score().unwrap().model, model);
        assert_eq!(fitted.forecast(&four_days).unwrap().model(), model);
    }
    let week = settings(3, ModelChoice::Fixed(ModelName::SeasonalNaiveWeek));
    let error = fit(&four_days, &week).unwrap_err();
    assert_eq!(error, NoForecast::TooLittleHistory { known: 4 * DAY, needed: 7 * DAY + 4 + 30 });
    assert!(fit(&minutes(seasonal(3, 8)), &week).is_ok());
    let ridge = settings(3, ModelChoice::Fixed(ModelName::Ridge));
    assert!(matches!(fit(&minutes(seasonal(3, 4)[..60].to_vec()), &ridge), Err(NoForecast::TooLittleHistory { .. })));
}

/// Days of hours with a sine of the day, weekends of less, and noise.
fn hours(seed: u64, days: usize) -> Series {
    let level = |i: usize| {
        let season = 100.0 + 60.0 * (std::f64::consts::TAU * i as f64 / 24.0).sin();
        if i / 24 % 7 < 5 { season } else { 0.6 * season }
    };
    let noise = normals(seed, days * 24).into_iter().enumerate();
    every(3600, noise.map(|(i, noise)| Some(level(i) + level(i).sqrt() * noise)))
}

#[test]
fn coarse_steps_get_a_periodic_autoregression_and_minutes_do_not() {
    let stated = settings(120, ModelChoice::Fixed(ModelName::PeriodicAutoregression));
    let month = hours(21, 30);
    assert_eq!(chosen(&fit(&month, &stated).unwrap()), ModelName::PeriodicAutoregression);
    let scores = fit(&month, &automatic(120)).unwrap().verdict().scores.clone();
    let loss = |model| scores.iter().find(|score| score.model == model).unwrap().pinball;
    assert!(loss(ModelName::PeriodicAutoregression) < 0.8 * loss(ModelName::SeasonalNaiveWeek), "{scores:?}");
    let four_days = fit(&hours(21, 4), &stated).unwrap_err();
    assert!(matches!(four_days, NoForecast::TooLittleHistory { known: 96, needed } if needed >= 120), "{four_days}");
    let minutes = fit(&minutes(seasonal(21, 6)), &stated).unwrap_err();
    assert!(matches!(minutes, NoForecast::UnsuitedStep { step: Step::MINUTE, .. }), "{minutes}");
}

#[test]
fn horizons_of_the_users_own_are_every_step_and_cover_what_they_say() {
    let month = hours(22, 60);
    let own = Settings {
        horizon: Some(Duration::from_hours(48)),
        ..settings(60 * 24, ModelChoice::Fixed(ModelName::PeriodicAutoregression))
    };
    let (mut inside, mut count) = (0.0, 0.0);
    for origin in (30 * 24..58 * 24).step_by(17) {
        let forecast = forecast(&month.until(month.time(origin)), &own);
        assert_eq!(forecast.horizons().len(), 48);
        for ahead in 1..=48_usize {
            let Some(Sample::Value(actual)) = month.sample(origin + ahead) else { continue };
            let minutes = 60 * ahead as u64;
            let band = at(&forecast, minutes, 0.1)..=at(&forecast, minutes, 0.9);
            inside += f64::from(u8::from(band.contains(&actual.get())));
            count += 1.0;
        }
    }
    assert!((inside / count - 0.8_f64).abs() < 0.06, "{}", inside / count);
}

#[test]
fn persistence_is_chosen_for_a_random_walk() {
    let fitted = fit(&minutes(random_walk(5, 6)), &automatic(3)).unwrap();
    assert_eq!(chosen(&fitted), ModelName::Persistence, "{:?}", fitted.verdict().scores);
    assert_eq!(fitted.verdict().reason, ChoiceReason::LeastLoss);
}

#[test]
fn a_daily_pattern_beats_persistence_when_the_lead_time_is_long() {
    let fitted = fit(&minutes(seasonal(6, 7)), &automatic(60)).unwrap();
    let scores = &fitted.verdict().scores;
    let loss = |model| scores.iter().find(|score| score.model == model).unwrap().pinball;
    assert!(loss(ModelName::SeasonalNaiveDay) < 0.7 * loss(ModelName::Persistence), "{scores:?}");
    assert!(loss(chosen(&fitted)) <= loss(ModelName::SeasonalNaiveDay));
    assert_eq!(scores.len(), 3, "a week is not to be had yet");
}

#[test]
fn the_center_follows_the_season_between_the_knots() {
    let day = |i: usize| if (600..660).contains(&(i % DAY)) { 200.0 } else { 50.0 };
    let noise = normals(7, 8 * DAY);
    let history = minutes(noise.iter().enumerate().map(|(i, noise)| day(i) + noise));
    // the origin is midnight: 605 to 655 minutes ahead is the busy hour, and no knot is there
    let forecast = forecast(&history, &automatic(3));
    for ahead in [615, 645] {
        assert!(at(&forecast, ahead, 0.5) > 150.0, "{ahead}: {}", at(&forecast, ahead, 0.5));
    }
    for ahead in [500, 720] {
        assert!(at(&forecast, ahead, 0.5) < 80.0, "{ahead}: {}", at(&forecast, ahead, 0.5));
    }
}

#[test]
fn the_busy_hour_comes_at_its_wall_clock_time_after_the_clocks_change() {
    // busy from 9 to 10 by the wall clock; the clocks go forward on Sunday, 31 March 2024, at 1:00 UTC
    let timezone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let start: Timestamp = "2024-03-24T00:00:00Z".parse().unwrap();
    let load = |i: i64| if Step::MINUTE.shift(start, i).to_zoned(timezone.clone()).hour() == 9 { 200.0 } else { 50.0 };
    let samples = (0..10_080).map(|i| Sample::Value(Load::new(load(i)).unwrap()));
    let history = Series::from_samples(start, Step::MINUTE, samples).unwrap();
    for model in [ModelName::SeasonalNaiveDay, ModelName::Ridge] {
        let settings = Settings { timezone: timezone.clone(), ..settings(3, ModelChoice::Fixed(model)) };
        let forecast = forecast(&history, &settings);
        // the origin is midnight UTC of the 31st, an hour before the change: 9:30 there is 7:30 UTC now, it was 8:30 UTC
        let (early, late) = (at(&forecast, 7 * 60 + 30, 0.5), at(&forecast, 8 * 60 + 30, 0.5));
        assert!(early > 180.0 && late < 60.0, "{model}: {early}, then {late}");
    }
}

#[test]
fn the_bands_cover_what_they_say_at_the_lead_time() {
    let loads = seasonal(8, 12);
    let whole = minutes(loads.iter().copied());
    let (mut covered, mut high_covered, mut asked) = (0.0, 0.0, 0.0);
    let mut fitted = None;
    for origin in (8 * DAY..loads.len() - 5).step_by(13) {
        let history = whole.until(whole.time(origin));
        if fitted.as_ref().is_none_or(|fitted: &Fitted| fitted.is_due(&history)) {
            fitted = Some(fit(&history, &automatic(4)).unwrap());
        }
        let forecast = fitted.as_ref().unwrap().forecast(&history).unwrap();
        covered += f64::from(u8::from(loads[origin + 5] <= at(&forecast, 5, 0.9)));
        high_covered += f64::from(u8::from(loads[origin + 5] <= at(&forecast, 5, 0.99)));
        asked += 1.0;
    }
    // 443 origins: a standard deviation is .014 at .9 and .005 at .99; three of them, and a little for drift
    assert!((covered / asked - 0.9_f64).abs() < 0.045, "{}", covered / asked);
    assert!((high_covered / asked - 0.99_f64).abs() < 0.017, "{}", high_covered / asked);
}

#[test]
fn busy_hours_have_wider_bands_than_quiet_ones() {
    let busy = |i: usize| (600..900).contains(&(i % DAY));
    let noise = normals(9, 6 * DAY);
    let load = |i: usize| 100.0 + noise[i] * if busy(i) { 20.0 } else { 2.0 };
    let history = minutes((0..6 * DAY).map(load));
    let forecast = forecast(&history, &automatic(3));
    let width = |ahead| at(&forecast, ahead, 0.9) - at(&forecast, ahead, 0.1);
    assert!(width(750) > 3.0 * width(300), "{} {}", width(750), width(300));
}

/// Days of minutes, each a normal step from the one before.
fn random_walk(seed: u64, days: usize) -> Vec<f64> {
    let mut level = 1000.0;
    let step = |step: f64| {
        level += step;
        level
    };
    normals(seed, days * DAY).into_iter().map(step).collect()
}

#[test]
fn a_blind_end_of_the_history_widens_the_bands_by_its_age() {
    let known = minutes(random_walk(10, 6));
    let fitted = fit(&known, &settings(3, ModelChoice::Fixed(ModelName::Persistence))).unwrap();
    let ask = |blind: usize| {
        let mut history = known.clone();
        for _ in 0..blind {
            history.push(Sample::Gap(GapReason::NoSample));
        }
        let forecast = fitted.forecast(&history).unwrap();
        assert_eq!(Some(forecast.origin()), history.end());
        assert!(fit(&history, &automatic(3)).unwrap().forecast(&history).is_ok());
        forecast
    };
    let seeing = ask(0);
    for blind in [30_u32, 120, 1500, 6000] {
        let forecast = ask(blind as usize);
        let width = |forecast: &Forecast, ahead| at(forecast, ahead, 0.9) - at(forecast, ahead, 0.1);
        // what is known of a walk wears off with the root of the time since
        let expected = (f64::from(blind + 4) / 4.0).sqrt();
        let ratio = width(&forecast, 4) / width(&seeing, 4);
        assert!(ratio > 0.6 * expected && ratio < 1.8 * expected, "{blind} minutes blind: {ratio}, not {expected}");
        if blind < 1000 {
            // the same moment, read from an older forecast: the same last sample, so the same answer
            let (old, new) = (at(&seeing, 300, 0.9), at(&forecast, 300 - u64::from(blind), 0.9));
            assert!((old - new).abs() < 0.02 * old, "{old} {new}");
        }
    }
}

#[test]
fn negative_loads_stay_negative_and_others_never_become_it() {
    let noise = normals(16, 2 * DAY);
    let below = minutes(noise.iter().map(|noise| noise - 50.0));
    let negative = forecast(&below, &automatic(3));
    assert!(at(&negative, 4, 0.01) < -50.0 && at(&negative, 4, 0.99) < -40.0);
    // counts near zero, whose lower bands would reach below it
    let counts = minutes(noise.iter().map(|noise| noise.abs().floor()));
    let positive = forecast(&counts, &settings(3, ModelChoice::Fixed(ModelName::Persistence)));
    assert!(positive.horizons().all(|horizon| horizon.quantiles[0].get() == 0.0));
}

#[test]
fn a_forecast_read_further_out_is_no_surer_about_the_same_moment() {
    // a flat load: the center is the same from every origin, only the horizon differs
    let noise = normals(11, 5 * DAY);
    let history = minutes(noise.iter().map(|noise| 100.0 + noise));
    let fitted = fit(&history, &settings(3, ModelChoice::Fixed(ModelName::Persistence))).unwrap();
    let forecast = fitted.forecast(&history).unwrap();
    let widths: Vec<f64> = (1..18).map(|ahead| at(&forecast, ahead, 0.99) - at(&forecast, ahead, 0.5)).collect();
    // within minutes the part of the day hardly changes
    // each width is an estimate of its own
    assert!(widths.iter().all(|width| *width >= widths[0] * 0.85), "{widths:?}");
}

#[test]
fn the_future_changes_no_forecast() {
    let mut loads = seasonal(12, 6);
    let origin = 5 * DAY;
    let before = minutes(loads.iter().copied());
    loads[origin + 1..].fill(1e6);
    let after = minutes(loads);
    let cut = |series: &Series| series.until(series.time(origin));
    let forecast_of = |history: &Series| forecast(history, &automatic(10));
    assert_ne!(before, after);
    assert_eq!(forecast_of(&cut(&before)), forecast_of(&cut(&after)));
}

#[test]
fn a_fit_goes_on_being_used_as_the_history_grows_and_falls_due() {
    let loads = seasonal(13, 6);
    let whole = minutes(loads);
    let until = |index: usize| whole.until(whole.time(index));
    let long = fit(&until(5 * DAY), &automatic(3)).unwrap();
    assert!(!long.is_due(&until(5 * DAY)) && !long.is_due(&until(5 * DAY + 719)) && long.is_due(&until(5 * DAY + 720)));
    let short = fit(&until(400), &automatic(3)).unwrap();
    assert!(!short.is_due(&until(499)) && short.is_due(&until(500)));
    let grown = long.forecast(&until(5 * DAY + 300)).unwrap();
    assert_eq!(grown.origin(), whole.time(5 * DAY + 300));
    // the oldest samples may be forgotten meanwhile
    let mut trimmed = until(5 * DAY + 300);
    trimmed.keep_newest(4 * DAY);
    let difference = at(&long.forecast(&trimmed).unwrap(), 4, 0.9) - at(&grown, 4, 0.9);
    // (what is usual at a time of the day is then the mean of fewer days)
    assert!(difference.abs() < 0.02 * at(&grown, 4, 0.9), "{difference}");
}

#[test]
fn another_step_than_at_the_fit_is_refused() {
    let fitted = fit(&minutes(seasonal(14, 1)), &automatic(3)).unwrap();
    let hours = every(3600, (0..50).map(|i| Some(f64::from(i))));
    assert!(matches!(fitted.forecast(&hours), Err(NoForecast::Failed(_))));
    assert!(fitted.is_due(&hours));
}

#[test]
fn every_step_gets_every_model_and_a_forecast_of_a_day() {
    for (seconds, count) in [(1, 20_000), (15, 30_000), (300, 4_032), (600, 2_016), (3600, 400), (7200, 200)] {
        let noise = normals(15, count);
        let day = 86_400.0 / f64::from(seconds);
        let load = |i: usize| 50.0 + 40.0 * (std::f64::consts::TAU * i as f64 / day).sin() + noise[i];
        let history = every(seconds, (0..count).map(|i| Some(load(i))));
        let fitted = fit(&history, &automatic(3)).unwrap();
        let models: Vec<ModelName> = fitted.verdict().scores.iter().map(|score| score.model).collect();
        assert!(
            models.contains(&ModelName::Ridge) && models.contains(&ModelName::Persistence),
            "{seconds} s: {models:?}"
        );
        let forecast = fitted.forecast(&history).unwrap();
        assert!(forecast.end() >= history.end().unwrap() + Duration::from_hours(24), "{seconds} s");
        assert_eq!(forecast.horizons().next().unwrap().ahead, Duration::from_secs(u64::from(seconds)));
    }
}

/// Loads as hostile as a query can make them, of one kind or mixed.
fn any_loads() -> impl Strategy<Value = Vec<Option<f64>>> {
    let load = prop_oneof![
        4 => 0.0..100.0_f64,
        2 => Just(0.0),
        1 => Just(7.0),
        1 => (-9..13_i32).prop_map(|power| 10.0_f64.powi(power)),
        1 => -1e6..1e6_f64,
        1 => Just(Load::MAX),
    ];
    let kind = prop_oneof![
        prop::collection::vec(prop::option::weighted(0.8, load), 3..700).boxed(),
        (prop_oneof![Just(0.0), Just(1e-9), Just(42.0), Just(1e12)], 3..700_usize)
            .prop_map(|(load, count)| vec![Some(load); count])
            .boxed(),
        // long histories of counts: a seed stands for them
        (0..u64::MAX, 1_000..6_000_usize, 0.0..5.0_f64)
            .prop_map(|(seed, count, mean)| {
                let mut random = fastrand::Rng::with_seed(seed);
                let flash = random.usize(0..count);
                (0..count)
                    .map(|i| {
                        let crowd = if i.abs_diff(flash) < 5 { 1e5 } else { 0.0 };
                        (random.f64() > 0.05).then(|| (random.f64() * mean).floor() + crowd)
                    })
                    .collect()
            })
            .boxed(),
    ];
    kind
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn quantiles_are_finite_ordered_and_no_less_than_nothing(
        loads in any_loads(),
        seconds in prop_oneof![Just(1_u32), Just(60), Just(600), Just(3600)],
        lead in 0..90_u64,
        model in prop_oneof![
            3 => Just(ModelChoice::Auto),
            1 => prop::sample::select(ModelName::ALL.to_vec()).prop_map(ModelChoice::Fixed),
        ],
        blind in 0..50_usize,
        steps in prop::option::of(1..60_u64),
    ) {
        let mut history = every(seconds, loads.iter().copied());
        (0..blind).for_each(|_| history.push(Sample::Gap(GapReason::NotANumber)));
        let known = loads.iter().flatten().count();
        let horizon = steps.map(|steps| Duration::from_secs(steps * u64::from(seconds)));
        let fitted = match fit(&history, &Settings { horizon, ..settings(lead, model) }) {
            Ok(fitted) => fitted,
            Err(NoForecast::TooLittleHistory { known: told, needed }) => {
                prop_assert_eq!(told, known);
                prop_assert!(needed > known);
                prop_assert!(known < FEWEST_SAMPLES || model != ModelChoice::Auto);
                return Ok(());
            }
            Err(NoForecast::UnsuitedStep { model: stated, .. }) => {
                prop_assert!(seconds < 300 && model == ModelChoice::Fixed(stated));
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let forecast = fitted.forecast(&history);
        // `Forecast` itself refuses quantiles that fall and horizons out of order, `Load` what is not finite
        prop_assert!(forecast.is_ok(), "{:?}", forecast);
        let forecast = forecast.unwrap();
        prop_assert_eq!(Some(forecast.origin()), history.end());
        prop_assert!(steps.is_none_or(|steps| forecast.horizons().len() as u64 == steps));
        if loads.iter().flatten().all(|&load| load >= 0.0) {
            let lowest = forecast.horizons().map(|horizon| horizon.quantiles[0].get()).fold(0.0, f64::min);
            prop_assert!(lowest >= 0.0, "{lowest}");
        }
        let flat = loads.iter().all(|load| *load == loads[0]);
        if let Some(amount) = loads[0].filter(|_| flat) {
            let strays = |load: &Load| (load.get() - amount).abs() > 1e-6 * amount.abs();
            prop_assert!(!forecast.horizons().any(|horizon| horizon.quantiles.iter().any(strays)));
        }
    }
}
