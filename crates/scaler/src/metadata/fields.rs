//! [`Fields`]: takes the keys out of a trigger's metadata one by one, notes every mistake on the way, and at the end
//! reports the keys that nobody took. So everything written has an effect or is a mistake.
//!
//! Metadata is tenant input: how much of it is read is bounded here.

use std::collections::{BTreeMap, HashMap};

use super::advice;
use super::keys::{self, FROM_ENVIRONMENT, Key, Repeated};
use super::mistake::{Fault, Mistake, Mistakes, repeated};

/// Keys in one trigger; three times as many as there are to write.
const MAX_KEYS: usize = 64;
/// Bytes of one key.
const MAX_KEY_BYTES: usize = 128;
/// Bytes of one value.
const MAX_VALUE_BYTES: usize = 4096;
/// Bytes of a query; the longest in published dashboards have some thousand.
const MAX_QUERY_BYTES: usize = 16 * 1024;
/// Bytes of all keys and values.
const MAX_TOTAL_BYTES: usize = 64 * 1024;

/// Whether `XFromEnv` holds the value, as KEDA sends it, or the name of a variable, as users write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    /// KEDA put the value in.
    Resolved,
    /// The value is not known here.
    Unknown,
}

/// What came of reading a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Read<T> {
    /// Nobody wrote it.
    Unwritten,
    /// It was written and cannot be used: wrong, which is noted, or not known here.
    Unusable,
    /// It was written.
    Value(T),
}

impl<T> Read<T> {
    /// The value, or `unwritten` where nobody wrote it; `None` where it cannot be used.
    pub(super) fn or(self, unwritten: T) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unwritten => Some(unwritten),
            Self::Unusable => None,
        }
    }
}

/// A default that holds because the key was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultInForce {
    /// The key that was not written.
    pub key: &'static str,
    /// What holds in its stead, as a user would write it.
    pub value: String,
}

/// Reads a trigger's metadata.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    left: BTreeMap<&'a str, &'a str>,
    environment: Environment,
    mistakes: Vec<Mistake>,
    defaults: Vec<DefaultInForce>,
    from_environment: Vec<String>,
}

/// What stands beside the values once all keys are read.
#[derive(Debug)]
pub(super) struct Remarks {
    pub(super) defaults: Vec<DefaultInForce>,
    /// Keys whose values are not known here.
    pub(super) from_environment: Vec<String>,
}

impl<'a> Fields<'a> {
    /// A reader of `metadata`.
    ///
    /// # Errors
    /// One mistake where there is more than any user writes: then nothing is read.
    pub(super) fn new(metadata: &'a HashMap<String, String>, environment: Environment) -> Result<Self, Mistakes> {
        let bytes = metadata.iter().map(|(key, value)| key.len() + value.len()).fold(0, usize::saturating_add);
        let too_much = |problem: String, instead: &str| {
            let field = "metadata".to_owned();
            Err(Mistakes::from(Mistake { field, written: None, problem, instead: instead.to_owned() }))
        };
        if metadata.len() > MAX_KEYS {
            return too_much(format!("holds {} keys", metadata.len()), "at most 64 are allowed");
        }
        if bytes > MAX_TOTAL_BYTES {
            return too_much(format!("holds {bytes} bytes"), "at most 65536 are allowed");
        }
        Ok(Self::of(metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())), environment))
    }

    /// A reader of `key` alone, however much else is written.
    pub(super) fn only(key: &Key, metadata: &'a HashMap<String, String>) -> Self {
        let written = written_names(key).filter_map(|name| metadata.get_key_value(name.as_str()));
        Self::of(written.map(|(key, value)| (key.as_str(), value.as_str())), Environment::Resolved)
    }

    fn of(pairs: impl Iterator<Item = (&'a str, &'a str)>, environment: Environment) -> Self {
        Self {
            left: pairs.collect(),
            environment,
            mistakes: Vec::new(),
            defaults: Vec::new(),
            from_environment: Vec::new(),
        }
    }

    /// Takes `key` out, under whichever name it was written, and reads it with `parse`.
    ///
    /// Written under two names it is a mistake; where both say the same, the value is known all the same.
    pub(super) fn read<T: PartialEq>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, Fault>) -> Read<T> {
        let mut first: Option<(String, Read<T>)> = None;
        for written in written_names(key) {
            let Some(value) = self.left.remove(written.as_str()) else { continue };
            let read = self.read_value(key, &written, value, &parse);
            first = match first {
                None => Some((written, read)),
                Some((kept, value)) => {
                    let problem = format!("another name of `{kept}`, which is written too");
                    self.note(&written, None, Fault::new(problem, "keep one of them"));
                    Some((kept, if value == read { value } else { Read::Unusable }))
                }
            };
        }
        first.map_or(Read::Unwritten, |(_, read)| read)
    }

    /// As [`Fields::read`], with a mistake where the key is not written. `meaning` says what to write.
    pub(super) fn required<T: PartialEq>(
        &mut self,
        key: &Key,
        meaning: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        match self.read(key, parse) {
            Read::Value(value) => Some(value),
            Read::Unusable => None,
            Read::Unwritten => {
                self.missing(key, meaning);
                None
            }
        }
    }

    /// As [`Fields::read`], with `default` where the key is not written. `said` is the default as a user would write it.
    pub(super) fn or_default<T: PartialEq>(
        &mut self,
        key: &Key,
        default: T,
        said: impl std::fmt::Display,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let read = self.read(key, parse);
        if matches!(read, Read::Unwritten) {
            self.defaults.push(DefaultInForce { key: key.name, value: said.to_string() });
        }
        read.or(default)
    }

    /// Notes that `key`, which must be written, is not.
    pub(super) fn missing(&mut self, key: &Key, meaning: &str) {
        self.note(key.name, None, Fault::new("missing", format!("write {meaning}")));
    }

    /// Notes that `field`, written as `written`, has `fault`.
    pub(super) fn note(&mut self, field: &str, written: Option<String>, fault: Fault) {
        let Fault { problem, instead } = fault;
        self.mistakes.push(Mistake { field: repeated(field), written, problem, instead });
    }

    /// The mistakes, where there are any, with a mistake for each key that nobody took; else the remarks.
    pub(super) fn finish(mut self) -> Result<Remarks, Mistakes> {
        for key in std::mem::take(&mut self.left).into_keys() {
            let fault = if key.len() > MAX_KEY_BYTES {
                Fault::new("a key of more than 128 bytes", "remove it")
            } else {
                advice::about(key)
            };
            self.note(key, None, fault);
        }
        match Mistakes::of(self.mistakes) {
            Some(mistakes) => Err(mistakes),
            None => Ok(Remarks { defaults: self.defaults, from_environment: self.from_environment }),
        }
    }

    fn read_value<T>(
        &mut self,
        key: &Key,
        written: &str,
        value: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Read<T> {
        let of_environment = key.from_environment && written.ends_with(FROM_ENVIRONMENT);
        if of_environment && self.environment == Environment::Unknown {
            self.from_environment.push(written.to_owned());
            return Read::Unusable;
        }
        match admitted(key, value).and_then(parse) {
            Ok(value) => Read::Value(value),
            Err(fault) => {
                let shown = if of_environment { None } else { shown(key, value.trim()) };
                self.note(written, shown, fault);
                Read::Unusable
            }
        }
    }
}

/// `value` without the white space around it, where a value of `key` may look like that.
fn admitted<'v>(key: &Key, value: &'v str) -> Result<&'v str, Fault> {
    let is_query = *key == keys::QUERY;
    let most = if is_query { MAX_QUERY_BYTES } else { MAX_VALUE_BYTES };
    let trimmed = value.trim();
    if trimmed.is_empty() {
        return Err(Fault::new("empty", "write a value, or remove the key"));
    }
    if value.len() > most {
        return Err(Fault::new(format!("{} bytes long", value.len()), format!("at most {most} are allowed")));
    }
    let allowed = |character: char| !character.is_control() || (is_query && matches!(character, '\n' | '\t'));
    if !trimmed.chars().all(allowed) {
        let instead = if is_query { "of these only line feeds and tabs are allowed" } else { "write printable text" };
        return Err(Fault::new("holds control characters", instead));
    }
    Ok(trimmed)
}

/// How a wrong value of `key` may be repeated.
fn shown(key: &Key, value: &str) -> Option<String> {
    let may_be_shown = match key.repeated {
        Repeated::Beginning => true,
        Repeated::PlainAddress => !value.contains(['@', '?', '#']),
        Repeated::Nothing => false,
    };
    may_be_shown.then(|| repeated(value))
}

/// Every way to write `key`.
fn written_names(key: &Key) -> impl Iterator<Item = String> {
    let from_environment = key.from_environment;
    key.names().flat_map(move |name| {
        let variable = from_environment.then(|| format!("{name}{FROM_ENVIRONMENT}"));
        std::iter::once(name.to_owned()).chain(variable)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn text(value: &str) -> Result<String, Fault> {
        if value == "refused" { Err(Fault::new("refused", "write another")) } else { Ok(value.to_owned()) }
    }

    #[test]
    fn a_key_is_found_under_each_of_its_names() {
        for name in ["threshold", "targetValue", "thresholdFromEnv", "targetValueFromEnv"] {
            let metadata = metadata(&[(name, " 12\n")]);
            let mut fields = Fields::new(&metadata, Environment::Resolved).unwrap();
            assert_eq!(fields.read(&keys::THRESHOLD, text), Read::Value("12".to_owned()), "{name}");
            assert!(fields.finish().is_ok(), "{name}");
        }
    }

    #[test]
    fn two_names_of_one_thing_are_a_mistake() {
        let metadata = metadata(&[("threshold", "12"), ("targetValue", "12"), ("thresholdFromEnv", "12")]);
        let mut fields = Fields::new(&metadata, Environment::Resolved).unwrap();
        assert_eq!(fields.read(&keys::THRESHOLD, text), Read::Value("12".to_owned()));
        assert_eq!(
            fields.finish().unwrap_err().to_string(),
            "2 mistakes in the trigger's metadata: \
             (1) thresholdFromEnv: another name of `threshold`, which is written too; keep one of them \
             (2) targetValue: another name of `threshold`, which is written too; keep one of them"
        );
    }

    #[test]
    fn two_names_with_two_values_give_none() {
        let metadata =
            metadata(&[("threshold", "12"), ("targetValue", "13"), ("model", "refused"), ("modelFromEnv", "x")]);
        let mut fields = Fields::new(&metadata, Environment::Resolved).unwrap();
        assert_eq!(fields.read(&keys::THRESHOLD, text), Read::Unusable);
        assert_eq!(fields.read(&keys::MODEL, text), Read::Unusable);
    }

    #[test]
    fn values_that_no_key_can_have_are_refused_before_they_are_read() {
        for (key, value, problem) in [
            (keys::MODEL, String::new(), "empty"),
            (keys::MODEL, " \n".to_owned(), "empty"),
            (keys::MODEL, "a\nb".to_owned(), "holds control characters"),
            (keys::QUERY, "a\rb".to_owned(), "holds control characters"),
            (keys::QUERY, "a\u{85}b".to_owned(), "holds control characters"),
            (keys::MODEL, "a".repeat(4097), "4097 bytes long"),
            (keys::QUERY, "a".repeat(16_385), "16385 bytes long"),
        ] {
            assert_eq!(admitted(&key, &value).unwrap_err().problem, problem);
        }
        assert!(admitted(&keys::QUERY, &"a\n\tb".repeat(4096)).is_ok());
        assert!(admitted(&keys::MODEL, &"a".repeat(4096)).is_ok());
    }

    #[test]
    fn more_than_any_user_writes_is_one_mistake() {
        let many: HashMap<_, _> = (0..65).map(|number| (format!("key{number}"), String::new())).collect();
        let error = Fields::new(&many, Environment::Resolved).unwrap_err();
        assert_eq!(error.to_string(), "metadata: holds 65 keys; at most 64 are allowed");
        let large = metadata(&[("query", &"a".repeat(65_532))]);
        let error = Fields::new(&large, Environment::Resolved).unwrap_err();
        assert_eq!(error.to_string(), "metadata: holds 65537 bytes; at most 65536 are allowed");
    }

    #[test]
    fn keys_that_nobody_takes_are_mistakes_however_long() {
        let metadata = metadata(&[("treshold", "12"), (&"k".repeat(129), "x")]);
        let mistakes = Fields::new(&metadata, Environment::Resolved).unwrap().finish().unwrap_err();
        let texts: Vec<_> = mistakes.iter().map(Mistake::to_string).collect();
        assert_eq!(texts[0], format!("{}…: a key of more than 128 bytes; remove it", "k".repeat(60)));
        assert_eq!(texts[1], "treshold: unknown key; did you mean `threshold`?");
    }
}
