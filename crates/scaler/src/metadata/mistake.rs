//! [`Mistake`]: one thing wrong in a trigger's metadata, told so that the user can mend it; [`Mistakes`]: all of them.

/// How much of a value or a key a mistake repeats, in characters.
const REPEATED_CHARACTERS: usize = 60;

/// One thing wrong in a trigger's metadata: where, what was written, what is wrong with it and what to write instead.
///
/// Holds no secret: what came from an environment variable, and what may carry a token, is never repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key as written, or the key that is missing.
    pub field: String,
    /// The value as written, cut to 60 characters; `None` where nothing was written or where it may be secret.
    pub written: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead, or what is allowed.
    pub instead: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.field)?;
        if let Some(written) = &self.written {
            write!(f, " \"{written}\"")?;
        }
        write!(f, ": {}; {}", self.problem, self.instead)
    }
}

/// Everything wrong in a trigger's metadata; at least one mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// All of `mistakes`, where there are any.
    pub(super) fn of(mistakes: Vec<Mistake>) -> Option<Self> {
        if mistakes.is_empty() { None } else { Some(Self(mistakes)) }
    }

    /// The mistakes, those of the required keys first.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl IntoIterator for Mistakes {
    type Item = Mistake;
    type IntoIter = std::vec::IntoIter<Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One line, since it ends up in an event of the ScaledObject.
impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_slice() {
            [mistake] => mistake.fmt(f),
            mistakes => {
                write!(f, "{} mistakes in the trigger's metadata:", mistakes.len())?;
                for (number, mistake) in (1..).zip(mistakes) {
                    write!(f, " ({number}) {mistake}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Mistakes {}

/// What is wrong with a value, and what to write instead; neither repeats the value, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) problem: String,
    pub(super) instead: String,
}

impl Fault {
    pub(super) fn new(problem: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { problem: problem.into(), instead: instead.into() }
    }
}

/// `text` fit for one line: escaped where not printable, and cut. Quotes stay, since PromQL is full of them.
pub(super) fn repeated(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(REPEATED_CHARACTERS) {
        match character {
            '"' | '\'' => line.push(character),
            _ => line.extend(character.escape_debug()),
        }
    }
    if text.chars().nth(REPEATED_CHARACTERS).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(field: &str) -> Mistake {
        Mistake {
            field: field.to_owned(),
            written: Some("x".to_owned()),
            problem: "not a number".to_owned(),
            instead: "write 12".to_owned(),
        }
    }

    #[test]
    fn one_mistake_is_one_sentence_and_several_are_numbered_in_one_line() {
        assert_eq!(Mistakes::from(mistake("slo")).to_string(), "slo \"x\": not a number; write 12");
        assert_eq!(
            Mistakes::of(vec![mistake("slo"), mistake("threshold")]).unwrap().to_string(),
            "2 mistakes in the trigger's metadata: (1) slo \"x\": not a number; write 12 \
             (2) threshold \"x\": not a number; write 12"
        );
        assert_eq!(Mistakes::of(Vec::new()), None);
    }

    #[test]
    fn what_is_repeated_is_cut_and_stays_on_one_line() {
        assert_eq!(repeated("a\nb\u{202e}c\"d"), "a\\nb\\u{202e}c\"d");
        assert_eq!(repeated(&"ä".repeat(100)), format!("{}…", "ä".repeat(60)));
        assert_eq!(repeated(&"ä".repeat(60)), "ä".repeat(60));
    }
}
