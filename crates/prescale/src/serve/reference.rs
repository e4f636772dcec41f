//! The tables of `docs/configuration.md`, made of the options and the file's types; `just reference` writes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, Args as _, Command};
use utoipa::PartialSchema as _;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::file::{ConfigFile, CredentialEntry};
use super::options::Options;
use super::settings::Settings;
use super::{Role, ServeArgs};
use crate::reference::{hold, replaced};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");

/// An option as it is written in flags and variables, and in the file where it may stand there.
struct Row {
    flag: String,
    variable: String,
    key: Option<String>,
    meaning: String,
    default: Option<String>,
}

impl Row {
    fn of(arg: &Arg) -> Self {
        let in_file = Options::augment_args(Command::new("options"));
        let key = in_file.get_arguments().any(|known| known.get_id() == arg.get_id());
        let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let (mut meaning, mut default) = match help.rsplit_once(" [default: ") {
            Some((meaning, default)) => (meaning.to_owned(), Some(default.trim_end_matches(']').to_owned())),
            None => (help, None),
        };
        for value in arg.get_possible_values() {
            let says = value.get_help().map(ToString::to_string).unwrap_or_default();
            let first = says.chars().next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
            meaning = format!("{meaning}; `{}`: {first}{}", value.get_name(), says.get(1..).unwrap_or_default());
        }
        if let Some(first) = arg.get_default_values().first() {
            default = Some(first.to_string_lossy().into_owned());
        }
        Self {
            flag: arg.get_long().expect("every option has a flag").to_owned(),
            variable: arg.get_env().expect("every option has a variable").to_string_lossy().into_owned(),
            key: key.then(|| camel(arg.get_id().as_str())),
            meaning,
            default,
        }
    }

    fn all() -> Vec<Self> {
        let command = ServeArgs::augment_args(Command::new("serve"));
        command.get_arguments().filter(|arg| arg.get_long().is_some_and(|flag| flag != "help")).map(Self::of).collect()
    }
}

/// The name in the file of a field.
fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    let mut inside_code = false;
    let mut out = String::new();
    for letter in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        inside_code ^= letter == '`';
        if letter == '|' || (letter == '*' && !inside_code) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn options() -> String {
    let mut table = "| flag | variable | key in the file | meaning | default |\n|---|---|---|---|---|\n".to_owned();
    for Row { flag, variable, key, meaning, default } in Row::all() {
        let key = key.map(|key| format!("`{key}`")).unwrap_or_default();
        let default = default.map_or_else(String::new, |default| {
            let (value, further) = default.split_at(default.find(", ").unwrap_or(default.len()));
            // words, where no value stands for it
            if value.contains(' ') { default } else { format!("`{value}`{further}") }
        });
        let (meaning, default) = (cell(&meaning), cell(&default));
        writeln!(table, "| `--{flag}` | `{variable}` | {key} | {meaning} | {default} |").unwrap();
    }
    table
}

fn credentials() -> String {
    let RefOr::T(Schema::Object(entry)) = CredentialEntry::schema() else { unreachable!("it is a struct") };
    let mut table = "| key | meaning |\n|---|---|\n".to_owned();
    for (key, property) in &entry.properties {
        let RefOr::T(schema) = property else { unreachable!("{key} is no struct of its own") };
        let described = match schema {
            Schema::Object(object) => &object.description,
            Schema::Array(array) => &array.description,
            _ => unreachable!("{key} is text or a list"),
        };
        let meaning = described.as_deref().expect("every key is described");
        writeln!(table, "| `{key}` | {} |", cell(meaning)).unwrap();
    }
    table
}

#[test]
fn the_configuration_reference_is_what_the_options_and_the_file_say() {
    let written = std::fs::read_to_string(DOCUMENT).unwrap();
    let right = replaced(&written, "options", &options());
    hold(DOCUMENT, &written, &replaced(&right, "credentials", &credentials()));
}

#[test]
fn every_key_of_the_reference_is_one_of_the_file() {
    for key in Row::all().into_iter().filter_map(|row| row.key) {
        let file =
            ConfigFile::parse(&format!("{key}: [\"1\"]")).or_else(|_| ConfigFile::parse(&format!("{key}: \"1\"")));
        assert_eq!(file.unwrap().unknown, BTreeMap::new(), "{key}");
    }
}

#[test]
fn whoever_writes_a_default_down_changes_nothing() {
    let settings = |text: &str| {
        let text = format!("prometheus: http://p:9090\n{text}");
        let parsed = Settings::parse(Role::All, Options::default(), ConfigFile::parse(&text).unwrap());
        format!("{:?}", parsed.unwrap_or_else(|error| panic!("{text}: {error}")))
    };
    let mut held = 0;
    for Row { key, default, .. } in Row::all() {
        let (Some(key), Some(default)) = (key, default) else { continue };
        let value = default.split(", ").next().unwrap_or_default();
        if value.contains(' ') || value == "none" {
            continue;
        }
        held += 1;
        assert_eq!(settings(&format!("{key}: \"{value}\"")), settings(""), "{key}");
    }
    assert!(held >= 10, "{held} defaults only");
}
