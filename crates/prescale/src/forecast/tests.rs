//! Whole runs on small inputs: what is printed, where, and whether all is well.

use std::fmt::Write as _;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: ForecastArgs,
}

fn parsed(arguments: &str) -> Result<ForecastArgs, clap::Error> {
    let words = ["forecast", "-"].into_iter().chain(arguments.split_whitespace());
    Command::try_parse_from(words).map(|command| command.args)
}

/// Standard output, standard error, and whether all series have a forecast.
fn forecast_of(arguments: &str, text: &str) -> (String, String, bool) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let complete = forecast(&parsed(arguments).unwrap(), text, &mut stdout, &mut stderr, false).unwrap();
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), complete)
}

fn value(hour: usize) -> usize {
    100 + 10 * (hour % 24) + hour % 7
}

/// `timestamp,value` of so many hours from 2024-01-01 on.
fn hours(count: usize) -> String {
    (0..count).fold("timestamp,value\n".to_owned(), |mut text, hour| {
        writeln!(text, "{},{}", 1_704_067_200 + hour * 3600, value(hour)).unwrap();
        text
    })
}

#[test]
fn one_series_gets_a_row_per_step_with_its_times() {
    let (stdout, stderr, complete) = forecast_of("--horizon 3 --quantiles 0.1,0.5,0.9", &hours(24 * 20));
    assert!(complete && stderr.is_empty(), "{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines[0], "unique_id,h,timestamp,q0.1,q0.5,q0.9");
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with("series,1,2024-01-21T00:00:00Z,") && lines[3].starts_with("series,3,"), "{stdout}");
    let quantiles: Vec<f64> = lines[2].split(',').skip(3).map(|field| field.parse().unwrap()).collect();
    assert!(quantiles.is_sorted() && (quantiles[1] - value(1) as f64).abs() < 10.0, "{quantiles:?}");
}

#[test]
fn a_stated_season_is_followed_and_a_wrong_one_told() {
    // nine hours, which nobody looks for
    let text = (0..400).fold("timestamp,value\n".to_owned(), |mut text, hour| {
        let load = if hour % 9 < 3 { 200 } else { 50 } + hour * 7 % 5;
        writeln!(text, "{},{load}", 1_704_067_200 + hour * 3600).unwrap();
        text
    });
    let medians = |arguments: &str| -> Vec<f64> {
        let (stdout, stderr, complete) = forecast_of(arguments, &text);
        assert!(complete, "{stderr}");
        stdout.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse().unwrap()).collect()
    };
    let stated = medians("--horizon 9 --quantiles 0.5 --season 9h");
    for (ahead, median) in stated.iter().enumerate() {
        let load = if (400 + ahead) % 9 < 3 { 200.0 } else { 50.0 };
        assert!((median - load).abs() < 0.2 * load, "{ahead}: {median}, not {load}");
    }
    let (_, stderr, complete) = forecast_of("--horizon 9 --season 90m,24h", &text);
    assert!(!complete && stderr.contains("5400 s") && !stderr.contains("86400"), "{stderr}");
    let (_, stderr, complete) = forecast_of("--horizon 9 --season 9h --model periodic", &text);
    assert!(!complete && stderr.contains("24h and 7d"), "{stderr}");
}

#[test]
fn the_three_forms_say_the_same() {
    let count = 24 * 20;
    let plain = hours(count);
    let times =
        |hour: usize| jiff::Timestamp::from_second(1_704_067_200 + 3600 * i64::try_from(hour).unwrap()).unwrap();
    let long = (0..count).fold("unique_id,timestamp,value\n".to_owned(), |mut text, hour| {
        writeln!(text, "b,{},7\n\"a, or so\",{},{}", times(hour), times(hour), value(hour)).unwrap();
        text
    });
    let row: Vec<String> = (0..count).map(|hour| value(hour).to_string()).collect();
    let wide = format!("\"V1\",\"V2\"\nb,7,7,7,,\n\"a, or so\",{}\n", row.join(","));
    let arguments = "--horizon 5 --step 1h --threads 2 --model periodic";
    let numbers = |text: &str, id: &str| -> Vec<String> {
        let (stdout, ..) = forecast_of(arguments, text);
        let of_id = stdout.lines().filter_map(|line| line.strip_prefix(id).map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(of_id.len(), 5, "{stdout}");
        of_id.iter().map(|line| line.splitn(4, ',').last().unwrap().to_owned()).collect()
    };
    let plain = numbers(&plain, "series");
    assert_eq!(numbers(&long, "\"a, or so\""), plain);
    assert_eq!(numbers(&wide, "\"a, or so\""), plain);
}

#[test]
fn unless_stated_the_periodic_model_forecasts_where_it_can() {
    let month = hours(24 * 20);
    let unstated = forecast_of("--horizon 5", &month);
    assert_eq!(unstated, forecast_of("--horizon 5 --model periodic", &month));
    assert_ne!(unstated, forecast_of("--horizon 5 --model seasonal-naive-day", &month));
    let two_days = hours(48);
    assert_eq!(forecast_of("--horizon 5", &two_days), forecast_of("--horizon 5 --model auto", &two_days));
    assert!(!forecast_of("--horizon 5 --model periodic", &two_days).2);
}

#[test]
fn times_without_a_row_and_empty_values_are_unknown() {
    let named =
        input::read("timestamp,value\n2024-01-01 00:00:00,1\n2024-01-01T02:00:00Z,\n1704076200,NaN\n", None).unwrap();
    let samples: Vec<series::Sample> = named[0].series.samples().collect();
    let none = series::Sample::Gap(series::GapReason::NoSample);
    // half an hour is the least there is between two rows
    assert_eq!(named[0].series.step(), Step::from_seconds(1800).unwrap());
    assert_eq!(samples.len(), 6);
    assert_eq!(samples[1..5], [none; 4]);
    assert_eq!(samples[5], series::Sample::Gap(series::GapReason::NotANumber));
}

#[test]
fn every_mistake_is_told_by_its_line_and_nothing_is_forecast() {
    let text =
        "unique_id,timestamp,value\na,1704067200,1\na,soon,2\na,1704074400,many\nb,1704067200\na,1704078000,1e300\n";
    let (stdout, stderr, complete) = forecast_of("--horizon 3", text);
    assert!(stdout.is_empty() && !complete);
    for told in ["line 3: the timestamp \"soon\"", "line 4: the value \"many\"", "line 5: 2 fields", "line 6: "] {
        assert!(stderr.contains(told), "{told}: {stderr}");
    }
    assert!(stderr.ends_with("4 mistakes, nothing was forecast\n"), "{stderr}");
}

#[test]
fn rows_out_of_order_and_off_the_grid_are_mistakes() {
    let told = |text: &str, step: Option<Step>| {
        input::read(text, step).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let back = told("timestamp,value\n7200,1\n3600,2\n3600,3\n", None);
    assert!(back.contains("line 3: ") && back.contains("line 4: "), "{back}");
    let off = told("timestamp,value\n0,1\n3600,2\n5400,3\n", Step::from_seconds(3600).ok());
    assert!(off.contains("line 4: ") && !off.contains("line 3: "), "{off}");
    assert!(told("timestamp,value\n0,1\n", None).contains("--step"));
    assert!(told("V1,V2\na,1\n", None).contains("--step"));
    assert!(told("V1,V2\na,1\na,x\n", Step::from_seconds(60).ok()).contains("line 3: V2: the value \"x\""));
    assert!(told("time,load\n0,1\n", None).starts_with("line 1: the header must be"));
    assert!(told("", None).contains("nothing") && told("timestamp,value\n", None).contains("no rows"));
    assert!(told("timestamp,value\n0,1\n1,2\n4000000000,3\n", None).contains("line 4: "));
}

#[test]
fn a_series_too_short_is_told_and_the_others_are_forecast() {
    let text = format!("V1,V2,V3\nshort,1,2,\nlong,{}\n", ["5"; 30].join(","));
    let (stdout, stderr, complete) = forecast_of("--horizon 2 --step 1h", &text);
    assert!(!complete && stderr.contains("\"short\"") && stderr.contains("2 samples are known"), "{stderr}");
    assert_eq!(stdout.lines().filter(|line| line.starts_with("long,")).count(), 2);
    assert!(stdout.lines().skip(1).all(|line| line.ends_with(",5") && line.contains(",,5")), "{stdout}");
}

#[test]
fn only_the_rows_of_the_lead_times_are_written_as_they_are_without() {
    let month = hours(24 * 20);
    let (all, ..) = forecast_of("--horizon 24", &month);
    let (some, stderr, complete) = forecast_of("--lead-times 24h,2h", &month);
    assert!(complete && stderr.is_empty(), "{stderr}");
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(some.lines().collect::<Vec<_>>(), [lines[0], lines[2], lines[24]]);
    let (near, ..) = forecast_of("--horizon 24 --lead-times 1h", &month);
    assert_eq!(near.lines().collect::<Vec<_>>(), lines[..2]);
}

#[test]
fn a_lead_time_that_is_no_step_of_a_series_is_told_and_nothing_is_forecast() {
    let long = hours(24 * 20);
    let (stdout, stderr, complete) = forecast_of("--lead-times 90m", &long);
    assert!(!complete && stdout.is_empty() && stderr.contains("\"series\": the lead time 5400s"), "{stderr}");
    assert!(forecast_of("--horizon 2 --lead-times 3h", &long).1.contains("the horizon 2"));
}

#[test]
fn arguments_outside_their_ranges_are_refused() {
    for wrong in [
        "",
        "--horizon 0",
        "--horizon 10001",
        "--horizon 3 --step 0s",
        "--horizon 3 --step 1500ms",
        "--horizon 3 --step 2d",
        "--horizon 3 --step 60",
        "--horizon 3 --quantiles 0.001",
        "--horizon 3 --quantiles 0.5,NaN",
        "--horizon 3 --quantiles 1",
        "--horizon 3 --model prophet",
        "--horizon 3 --timezone Mars/Olympus",
        "--horizon 3 --threads 0",
        "--lead-times 0s",
        "--lead-times 5",
        "--lead-times 5m,",
    ] {
        assert!(parsed(wrong).is_err(), "{wrong}");
    }
    assert!(parsed("--horizon 10000 --step 1d --quantiles 0.01,0.999 --model auto --timezone Europe/Berlin").is_ok());
}
