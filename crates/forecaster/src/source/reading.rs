//! What an answer says of the load: one amount for an instant query, one sample per grid time for a range.

use series::{GapReason, Load, MissingSamples, Sample, ServerAddress, Timestamp};

use super::answer::{Data, Item, Items, Point, Series};
use super::chunks::GridRange;
use super::error::SourceError;
use super::redaction::Redaction;

/// The one load that an instant query gave.
pub(crate) fn load(data: Data, missing: MissingSamples, redaction: &Redaction) -> Result<Load, SourceError> {
    let amount = match data.result_type.as_str() {
        "scalar" => match data.result.first[..] {
            [Item::Time, Item::Value(Some(amount))] => amount,
            _ => return Err(SourceError::WrongType { found: "a scalar without a number", advice: "use sum(...)" }),
        },
        "vector" => match only_series(data.result, redaction)? {
            Some(Series { value: Some(point), .. }) => point.amount,
            Some(_) => return Err(histogram()),
            None => return if missing == MissingSamples::Zero { Ok(Load::ZERO) } else { Err(SourceError::Empty) },
        },
        other => return Err(wrong_type(other)),
    };
    match Load::new(amount) {
        Ok(load) => Ok(load),
        // as in KEDA's own trigger; an infinity is no missing load, whatever KEDA makes of it
        Err(_) if amount.is_nan() && missing == MissingSamples::Zero => Ok(Load::ZERO),
        Err(_) => Err(SourceError::NotALoad { amount }),
    }
}

/// One sample for each time of `range`; times that the answer leaves out are gaps.
pub(crate) fn samples(
    data: Data,
    range: &GridRange,
    server: &ServerAddress,
    redaction: &Redaction,
) -> Result<Vec<Sample>, SourceError> {
    let mut samples = vec![Sample::Gap(GapReason::NoSample); range.count()];
    if data.result_type != "matrix" {
        return Err(wrong_type(&data.result_type));
    }
    let Some(series) = only_series(data.result, redaction)? else {
        return Ok(samples);
    };
    if series.values.is_empty() && series.histograms.is_some() {
        return Err(histogram());
    }
    for point in &series.values {
        if let Some(index) = place(point, range, server)? {
            samples[index] = sample(point.amount);
        }
    }
    Ok(samples)
}

fn only_series(mut items: Items, redaction: &Redaction) -> Result<Option<Series>, SourceError> {
    let count = items.count;
    if count > 1 {
        let mut examples: Vec<_> = items.first.iter().filter_map(example).collect();
        if count > examples.len() {
            examples.push("...".to_owned());
        }
        return Err(SourceError::SeveralSeries { count, examples: redaction.clean(&examples.join(", ")) });
    }
    match items.first.pop() {
        Some(Item::Series(series)) => Ok(Some(series)),
        Some(_) => Err(wrong_type("")),
        None => Ok(None),
    }
}

fn example(item: &Item) -> Option<String> {
    match item {
        Item::Series(series) => Some(series.labels()),
        _ => None,
    }
}

/// The index of a point on the grid; `None` outside the range, which some servers widen to their own liking.
fn place(point: &Point, range: &GridRange, server: &ServerAddress) -> Result<Option<usize>, SourceError> {
    /// Seconds up to the year 9999; more is no time at all.
    const LATEST: f64 = 253_402_207_200.0;
    if !(-LATEST..=LATEST).contains(&point.seconds) {
        return Ok(None);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 2.6e14 in size, checked above")]
    let passed = (point.seconds * 1000.0).round() as i64 - range.first().as_millisecond();
    let step = i64::from(range.step().seconds()) * 1000;
    let Ok(index) = usize::try_from(passed.div_euclid(step)) else {
        return Ok(None);
    };
    if index >= range.count() {
        return Ok(None);
    }
    if passed % step != 0 {
        let at = Timestamp::from_millisecond(range.first().as_millisecond() + passed).unwrap_or(range.first());
        return Err(SourceError::OffGrid { server: Box::new(server.clone()), at });
    }
    Ok(Some(index))
}

fn sample(amount: f64) -> Sample {
    match Load::new(amount) {
        Ok(load) => Sample::Value(load),
        Err(_) if amount.is_nan() => Sample::Gap(GapReason::NotANumber),
        Err(_) if amount.is_infinite() => Sample::Gap(GapReason::Infinite),
        Err(_) => Sample::Gap(GapReason::OutOfRange),
    }
}

fn histogram() -> SourceError {
    SourceError::WrongType {
        found: "native histograms",
        advice: "take a number from them with histogram_count(...) or histogram_quantile(...)",
    }
}

fn wrong_type(result_type: &str) -> SourceError {
    let (found, advice) = match result_type {
        "string" => ("a string", "write a query that gives a number"),
        "matrix" => ("a range vector", "wrap it, as in sum(rate(...[1m])), or remove the [...]"),
        "scalar" => ("a scalar", "use vector(...)"),
        "vector" => ("an instant vector", "write a query that gives a number at each time"),
        _ => ("a type that Prometheus does not have", "check that the address is that of Prometheus' API"),
    };
    SourceError::WrongType { found, advice }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use series::{FaultKind, Step};

    use super::super::answer::Envelope;
    use super::*;

    fn data(result_type: &str, result: &str) -> Data {
        serde_json::from_str(&format!(r#"{{"resultType":"{result_type}","result":{result}}}"#)).unwrap()
    }

    fn instant(result_type: &str, result: &str, missing: MissingSamples) -> Result<f64, FaultKind> {
        load(data(result_type, result), missing, &Redaction::default()).map(Load::get).map_err(|error| error.kind())
    }

    fn range(result_type: &str, result: &str) -> Result<Vec<Sample>, SourceError> {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let range = GridRange::between(at(60), at(300), Step::MINUTE).unwrap();
        samples(data(result_type, result), &range, &"http://p".parse().unwrap(), &Redaction::default())
    }

    #[test]
    fn vectors_of_one_and_scalars_are_loads() {
        assert_eq!(instant("vector", r#"[{"metric":{},"value":[1,"2.5"]}]"#, MissingSamples::Unknown), Ok(2.5));
        assert_eq!(instant("scalar", r#"[1,"3"]"#, MissingSamples::Unknown), Ok(3.0));
    }

    #[test]
    fn what_is_no_load_says_why() {
        let cases = [
            ("vector", "[]", FaultKind::Empty),
            ("vector", r#"[{"value":[1,"1"]},{"value":[1,"1"]}]"#, FaultKind::SeveralSeries),
            ("vector", r#"[{"value":[1,"NaN"]}]"#, FaultKind::NotALoad),
            ("vector", r#"[{"value":[1,"+Inf"]}]"#, FaultKind::NotALoad),
            ("vector", r#"[{"value":[1,"1e16"]}]"#, FaultKind::NotALoad),
            ("vector", r#"[{"histogram":[1,{"count":"1"}]}]"#, FaultKind::WrongType),
            ("scalar", r#"[1,"NaN"]"#, FaultKind::NotALoad),
            ("scalar", "[]", FaultKind::WrongType),
            ("string", r#"[1,"7"]"#, FaultKind::WrongType),
            ("matrix", r#"[{"values":[[1,"1"]]}]"#, FaultKind::WrongType),
            ("streams", "[]", FaultKind::WrongType),
        ];
        for (result_type, result, kind) in cases {
            assert_eq!(instant(result_type, result, MissingSamples::Unknown), Err(kind), "{result_type} {result}");
        }
    }

    #[test]
    fn missing_is_zero_only_where_asked_for_and_an_infinity_never() {
        let zero = |result| instant("vector", result, MissingSamples::Zero);
        assert_eq!(zero("[]"), Ok(0.0));
        assert_eq!(zero(r#"[{"value":[1,"NaN"]}]"#), Ok(0.0));
        assert_eq!(zero(r#"[{"value":[1,"-Inf"]}]"#), Err(FaultKind::NotALoad));
        assert_eq!(zero(r#"[{"value":[1,"1e16"]}]"#), Err(FaultKind::NotALoad));
    }

    #[test]
    fn every_grid_time_gets_a_sample_or_a_named_gap() {
        let read =
            range("matrix", r#"[{"values":[[60,"1"],[120.000,"NaN"],[180,"+Inf"],[300,"1e300"],[360,"9"],[0,"9"]]}]"#);
        let one = Sample::Value(Load::new(1.0).unwrap());
        let gaps = [GapReason::NotANumber, GapReason::Infinite, GapReason::NoSample, GapReason::OutOfRange];
        assert_eq!(read.unwrap(), [vec![one], gaps.map(Sample::Gap).to_vec()].concat());
        assert_eq!(range("matrix", "[]").unwrap(), [Sample::Gap(GapReason::NoSample); 5]);
    }

    #[test]
    fn times_between_those_asked_for_are_refused() {
        let error = range("matrix", r#"[{"values":[[60,"1"],[121,"2"]]}]"#).unwrap_err();
        assert!(matches!(error, SourceError::OffGrid { at, .. } if at.as_second() == 121), "{error}");
        // no time at all cannot be placed, and must not make a place up
        assert_eq!(range("matrix", r#"[{"values":[[1e300,"1"]]}]"#).unwrap(), [Sample::Gap(GapReason::NoSample); 5]);
    }

    #[test]
    fn several_series_are_named_and_counted() {
        let labelled = |pod: &str| format!(r#"{{"metric":{{"pod":"{pod}"}},"values":[[60,"1"]]}}"#);
        let result = format!("[{}]", ["a", "b", "c", "d"].map(labelled).join(","));
        let message = range("matrix", &result).unwrap_err().to_string();
        let wanted =
            r#"the query gives 4 series ({pod="a"}, {pod="b"}, {pod="c"}, ...): aggregate them to one with sum(...)"#;
        assert_eq!(message, wanted);
    }

    #[test]
    fn native_histograms_are_no_load() {
        let error = range("matrix", r#"[{"histograms":[[60,{"count":"1"}]]}]"#).unwrap_err();
        assert_eq!(error.kind(), FaultKind::WrongType);
    }

    proptest! {
        #[test]
        fn no_bytes_at_all_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(serde_json::from_slice::<Envelope>(&bytes).is_err(), "chance makes no envelope");
        }

        #[test]
        fn what_a_broken_answer_gives_is_a_load_or_an_error(
            place in 0..150_usize, byte: u8, kind in prop::sample::select(vec!["vector", "matrix", "scalar", "string"]),
        ) {
            let mut body = format!(
                r#"{{"resultType":"{kind}","result":[{{"metric":{{"a":"b"}},"value":[120,"7"],"values":[[120,"7"],[180,"NaN"]]}}]}}"#
            )
            .into_bytes();
            let length = body.len();
            body[place % length] = byte;
            let read = || serde_json::from_slice::<Data>(&body);
            if let Ok(data) = read() {
                let found = load(data, MissingSamples::Unknown, &Redaction::default());
                prop_assert!(found.is_err() || found.is_ok_and(|load| load.get().is_finite()));
            }
            if let Ok(data) = read() {
                let at = |seconds| Timestamp::from_second(seconds).unwrap();
                let range = GridRange::between(at(60), at(300), Step::MINUTE).unwrap();
                let found = samples(data, &range, &"http://p".parse().unwrap(), &Redaction::default());
                prop_assert!(found.map_or(true, |samples| samples.len() == 5));
            }
        }
    }
}
