//! [`Redaction`]: foreign text made fit for a message: one line, short, without what was sent in secret.

/// What stands for a secret.
const HIDDEN: &str = "***";

/// Characters of foreign text in one message: enough for any error of Prometheus, too few to fill a status.
const MOST_CHARACTERS: usize = 300;

/// Values that were sent to a server and must not come back in its words.
#[derive(Default)]
pub(crate) struct Redaction(Vec<String>);

impl Redaction {
    /// Hides `value` from now on. What is shorter than any secret is not hidden: a tenant `1` would take every 1 out of
    /// the words.
    pub(crate) fn hide(&mut self, value: &str) {
        const SHORTEST_SECRET: usize = 4;
        let value = value.trim();
        if value.len() >= SHORTEST_SECRET {
            self.0.push(value.to_owned());
            // the longest first, so that a secret within a secret leaves no rest of the outer one
            self.0.sort_by_key(|hidden| std::cmp::Reverse(hidden.len()));
        }
    }

    /// `text` without secrets and control characters, cut to a sane length.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut open = text.to_owned();
        for secret in &self.0 {
            open = open.replace(secret.as_str(), HIDDEN);
        }
        let words = open.split(|character: char| character.is_whitespace() || is_unprintable(character));
        let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MOST_CHARACTERS) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line,
        }
    }
}

/// Control characters, and those that turn the direction of the text around them.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_one_short_line() {
        let clean = |text: &str| Redaction::default().clean(text);
        assert_eq!(clean(" a\r\n\tb\u{1b}[31m\0c "), "a b [31m c");
        assert_eq!(clean("a\u{202e}b"), "a b");
        let long = clean(&"ä".repeat(5000));
        assert_eq!(long.chars().count(), MOST_CHARACTERS + 3);
    }

    #[test]
    fn secrets_do_not_come_back() {
        let mut redaction = Redaction::default();
        redaction.hide("token");
        redaction.hide("token-1 ");
        redaction.hide("bad");
        redaction.hide("");
        assert_eq!(redaction.clean("bad token-1, bad token"), "bad ***, bad ***");
    }
}
