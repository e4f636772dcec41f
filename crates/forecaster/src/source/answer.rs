//! [`Envelope`]: the JSON of Prometheus' HTTP API, parsed without keeping more of it than one series.
//!
//! A hostile or mistaken answer may hold a hundred thousand series: all but the first few are counted and dropped while
//! they are read.

use std::collections::BTreeMap;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Series whose labels are kept, to name them in a message.
const EXAMPLES: usize = 3;

/// The outermost object of every answer.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Envelope {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) data: Option<Data>,
    #[serde(default, rename = "errorType")]
    pub(crate) error_type: Option<String>,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) warnings: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) infos: Option<Vec<String>>,
    /// VictoriaMetrics' word for an answer that some of its storage is missing in.
    #[serde(default, rename = "isPartial")]
    pub(crate) is_partial: Option<bool>,
}

/// A result and its type: `vector`, `matrix`, `scalar` or `string`.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Data {
    #[serde(rename = "resultType")]
    pub(crate) result_type: String,
    pub(crate) result: Items,
}

/// What a result holds: series, or the time and value of a scalar.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// How many there are.
    pub(crate) count: usize,
    /// The first few.
    pub(crate) first: Vec<Item>,
}

#[derive(Debug)]
pub(crate) enum Item {
    Series(Series),
    /// Time of a scalar or string.
    Time,
    /// Value of a scalar or string; `None` where the text is no number.
    Value(Option<f64>),
}

/// One series of a vector or matrix.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Series {
    #[serde(default)]
    pub(crate) metric: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) value: Option<Point>,
    #[serde(default)]
    pub(crate) values: Vec<Point>,
    #[serde(default)]
    pub(crate) histograms: Option<IgnoredAny>,
}

/// `[seconds since the epoch, "amount"]`; the amount may be NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) seconds: f64,
    pub(crate) amount: f64,
}

impl Envelope {
    /// What the server says is missing in the answer, in its words; `None` where nothing is.
    ///
    /// Thanos, Cortex, Mimir and Prometheus with remote storage answer with what they have and warn of the rest. Warnings of
    /// PromQL itself speak of the query, not of missing data.
    pub(crate) fn missing(&self) -> Option<&str> {
        let of_data = |warning: &&String| !warning.starts_with("PromQL ");
        let warned = self.warnings.iter().flatten().find(of_data).map(String::as_str);
        warned.or_else(|| (self.is_partial == Some(true)).then_some("isPartial is true"))
    }
}

impl Series {
    /// The label set as PromQL writes it.
    pub(crate) fn labels(&self) -> String {
        let name = self.metric.get("__name__").map_or("", String::as_str);
        let labels = self.metric.iter().filter(|(label, _)| *label != "__name__");
        let pairs: Vec<_> = labels.map(|(label, value)| format!("{label}={value:?}")).collect();
        format!("{name}{{{}}}", pairs.join(", "))
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;
        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of series, or a time and a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items, A::Error> {
                let mut items = Items::default();
                while items.first.len() < EXAMPLES {
                    let Some(item) = list.next_element()? else {
                        return Ok(items);
                    };
                    items.first.push(item);
                    items.count += 1;
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    items.count += 1;
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;
        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a series, a time or a value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                Series::deserialize(MapAccessDeserializer::new(map)).map(Item::Series)
            }

            fn visit_str<E>(self, text: &str) -> Result<Item, E> {
                Ok(Item::Value(text.parse().ok()))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Item, E> {
                Ok(Item::Time)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Item, E> {
                Ok(Item::Time)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Item, E> {
                Ok(Item::Time)
            }
        }
        deserializer.deserialize_any(ItemVisitor)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(f64, Amount)>::deserialize(deserializer).map(|(seconds, Amount(amount))| Self { seconds, amount })
    }
}

/// A number in a text, read in place.
struct Amount(f64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;
        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number in a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map(Amount).map_err(|_| E::custom("the value is no number"))
            }
        }
        deserializer.deserialize_str(AmountVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(result: &str) -> Items {
        let body = format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#);
        serde_json::from_str::<Envelope>(&body).unwrap().data.unwrap().result
    }

    fn series(result: &str) -> Series {
        match items(result).first.remove(0) {
            Item::Series(series) => series,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_read_as_prometheus_writes_them() {
        let amounts = [("1", 1.0), ("-0.5", -0.5), ("1e+06", 1e6), ("+Inf", f64::INFINITY), ("-Inf", -f64::INFINITY)];
        for (text, amount) in amounts {
            let body = format!(r#"[{{"metric":{{}},"value":[1700000000.5,"{text}"]}}]"#);
            assert_eq!(series(&body).value, Some(Point { seconds: 1_700_000_000.5, amount }));
        }
        assert!(series(r#"[{"metric":{},"value":[1,"NaN"]}]"#).value.unwrap().amount.is_nan());
        let matrix = series(r#"[{"metric":{},"values":[[60,"1"],[120,"2"]]}]"#);
        assert_eq!(matrix.values.len(), 2);
    }

    #[test]
    fn only_the_first_series_are_kept_and_all_are_counted() {
        let many = vec![r#"{"metric":{"pod":"a"},"value":[1,"2"]}"#; 1000].join(",");
        let items = items(&format!("[{many}]"));
        assert_eq!((items.count, items.first.len()), (1000, EXAMPLES));
    }

    #[test]
    fn the_type_may_come_after_the_result() {
        let body = r#"{"data":{"result":[1700000000,"3"],"resultType":"scalar"},"status":"success"}"#;
        let data = serde_json::from_str::<Envelope>(body).unwrap().data.unwrap();
        assert_eq!(data.result_type, "scalar");
        assert!(matches!(data.result.first[..], [Item::Time, Item::Value(Some(3.0))]));
    }

    #[test]
    fn label_sets_read_as_promql() {
        let labelled = series(r#"[{"metric":{"__name__":"up","pod":"a\"b"},"value":[1,"2"]}]"#);
        assert_eq!(labelled.labels(), r#"up{pod="a\"b"}"#);
        assert_eq!(series(r#"[{"value":[1,"2"]}]"#).labels(), "{}");
    }

    #[test]
    fn what_is_no_point_is_refused() {
        for point in [r#"[1,"x"]"#, "[1]", r#"["1","2"]"#, "[1,2]", r#"[1,"2",3]"#] {
            let body =
                format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"value":{point}}}]}}}}"#);
            assert!(serde_json::from_str::<Envelope>(&body).is_err(), "{point}");
        }
    }
}
