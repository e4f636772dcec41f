//! [`Spellings`]: triggers word for word as KEDA sent them last, so that the same words are not parsed anew with every call.
//!
//! KEDA repeats a trigger's whole metadata with each of its calls, several times a minute for months. Parsing them and taking
//! their digest would be most of the work of an answer.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{PoisonError, RwLock};

use series::TargetKey;
use wire::externalscaler::ScaledObjectRef;

/// Keys of triggers by their words, of a bounded number of them.
pub(crate) struct Spellings {
    /// Keyed by chance, so that nobody can send words that fall on others'.
    hasher: RandomState,
    known: RwLock<HashMap<u64, (ScaledObjectRef, TargetKey)>>,
    most: usize,
}

impl Spellings {
    /// Room for `most` triggers.
    pub(crate) fn new(most: usize) -> Self {
        Self { hasher: RandomState::new(), known: RwLock::default(), most }
    }

    /// The key of `object`, where these very words were parsed before.
    pub(crate) fn key(&self, object: &ScaledObjectRef) -> Option<TargetKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (words, key) = known.get(&self.hash(object))?;
        (words == object).then(|| key.clone())
    }

    /// Notes that `object` was parsed, and that it is of `key`.
    pub(crate) fn note(&self, object: &ScaledObjectRef, key: &TargetKey) {
        let hash = self.hash(object);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most && !known.contains_key(&hash) {
            // those still in use come back with their next call, those of triggers that are gone do not
            known.clear();
        }
        known.insert(hash, (object.clone(), key.clone()));
    }

    /// The same for equal words, whatever the order of the metadata.
    fn hash(&self, object: &ScaledObjectRef) -> u64 {
        let own = self.hasher.hash_one((&object.namespace, &object.name));
        object.scaler_metadata.iter().fold(own, |sum, pair| sum.wrapping_add(self.hasher.hash_one(pair)))
    }
}

impl std::fmt::Debug for Spellings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // values of headers are among the words
        f.debug_struct("Spellings").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, pairs: &[(&str, &str)]) -> ScaledObjectRef {
        let scaler_metadata = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        ScaledObjectRef { name: name.to_owned(), namespace: "shop".to_owned(), scaler_metadata }
    }

    fn key(digest: &str) -> TargetKey {
        TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: digest.into() }
    }

    #[test]
    fn the_same_words_are_known_again_and_no_others() {
        let spellings = Spellings::new(10);
        let one = object("a", &[("query", "x"), ("threshold", "1")]);
        spellings.note(&one, &key("1"));
        assert_eq!(spellings.key(&object("a", &[("threshold", "1"), ("query", "x")])), Some(key("1")));
        for other in [
            object("b", &[("query", "x"), ("threshold", "1")]),
            object("a", &[("query", "x"), ("threshold", "2")]),
            object("a", &[("query", "1"), ("threshold", "x")]),
            object("a", &[("query", "x")]),
            object("a", &[]),
        ] {
            assert_eq!(spellings.key(&other), None, "{other:?}");
        }
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let spellings = Spellings::new(3);
        for number in 0..100 {
            let one = object(&number.to_string(), &[]);
            spellings.note(&one, &key("1"));
            assert_eq!(spellings.key(&one), Some(key("1")));
            assert!(spellings.known.read().unwrap().len() <= 3);
        }
    }
}
