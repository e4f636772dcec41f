//! `docs/commands.md` is what the commands say of themselves; `just reference` writes it.

use std::fmt::Write as _;

use clap::CommandFactory as _;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");

/// Where this is set, documents are written anew in place of being held to the code.
const UPDATE: &str = "PRESCALE_UPDATE_REFERENCE";

/// `document` with `text` between the markers of that name.
pub(crate) fn replaced(document: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let parts = document.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) = parts.unwrap_or_else(|| panic!("there must be a line {begin}and after it a line {end}"));
    format!("{head}{begin}{text}{end}{tail}")
}

/// Holds what is `written` in a document to what is `right`.
pub(crate) fn hold(path: &str, written: &str, right: &str) {
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, right).unwrap();
        return;
    }
    let mut lines = written.lines().zip(right.lines());
    if let Some((written, right)) = lines.find(|(written, right)| written != right) {
        panic!("{path} is out of date, `just reference` makes it anew:\n  {written}\nshould be\n  {right}");
    }
    assert_eq!(written.len(), right.len(), "{path} is out of date, `just reference` makes it anew");
}

/// What `prescale COMMAND --help` says, of every command.
fn commands() -> String {
    let mut program = super::Arguments::command().term_width(110);
    program.build();
    let mut text = String::new();
    for command in program.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        // the values of this process' environment are nobody else's
        let mut command = command.clone().mut_args(|arg| arg.hide_env_values(true)).term_width(110);
        let help = command.render_long_help().to_string();
        let lines: Vec<_> = help.trim_end().lines().map(str::trim_end).collect();
        write!(text, "\n## {}\n\n```text\n{}\n```\n", command.get_name(), lines.join("\n")).unwrap();
    }
    text
}

#[test]
fn the_commands_in_the_documents_are_what_the_program_says() {
    let written = std::fs::read_to_string(DOCUMENT).unwrap();
    hold(DOCUMENT, &written, &replaced(&written, "commands", &commands()));
}
