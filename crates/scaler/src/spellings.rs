//! [`Spellings`]: which trigger the words are of that KEDA sent, so that the same words are not parsed anew with every call.
//!
//! KEDA repeats a trigger's whole metadata with each of its calls, several times a minute for months. Parsing them and taking
//! their digest would be most of the work of an answer. The words themselves are not kept: a hash of 64 bits under a key that nobody knows stands for them,
//! and that only among those of one ScaledObject. Words that fell on others by chance would be others of the same owner.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{PoisonError, RwLock};

use series::TargetKey;
use wire::externalscaler::ScaledObjectRef;

/// Keys of triggers by the hash of their words, of a bounded number of them.
#[derive(Debug)]
pub(crate) struct Spellings {
    /// Keyed by chance, so that nobody can look for words that fall on others.
    hasher: RandomState,
    known: RwLock<HashMap<u64, TargetKey>>,
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
        let key = known.get(&self.hash(object))?;
        (*key.namespace == *object.namespace && *key.name == *object.name).then(|| key.clone())
    }

    /// Notes that `object` was parsed, and that it is of `key`.
    pub(crate) fn note(&self, object: &ScaledObjectRef, key: &TargetKey) {
        let hash = self.hash(object);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most && !known.contains_key(&hash) {
            // those still in use come back with their next call, those of triggers that are gone do not
            known.clear();
        }
        known.insert(hash, key.clone());
    }

    /// The same for equal words, whatever the order of the metadata.
    fn hash(&self, object: &ScaledObjectRef) -> u64 {
        let own = self.hasher.hash_one((&object.namespace, &object.name));
        object.scaler_metadata.iter().fold(own, |sum, pair| sum.wrapping_add(self.hasher.hash_one(pair)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, pairs: &[(&str, &str)]) -> ScaledObjectRef {
        let scaler_metadata = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        ScaledObjectRef { name: name.to_owned(), namespace: "shop".to_owned(), scaler_metadata }
    }

    fn key(name: &str) -> TargetKey {
        TargetKey { namespace: "shop".into(), name: name.into(), digest: "d".into() }
    }

    #[test]
    fn the_same_words_are_known_again_and_no_others() {
        let spellings = Spellings::new(10);
        let one = object("a", &[("query", "x"), ("threshold", "1")]);
        spellings.note(&one, &key("a"));
        assert_eq!(spellings.key(&object("a", &[("threshold", "1"), ("query", "x")])), Some(key("a")));
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
    fn words_that_fall_on_those_of_another_object_are_not_taken_for_them() {
        let spellings = Spellings::new(10);
        let one = object("a", &[("query", "x")]);
        spellings.known.write().unwrap().insert(spellings.hash(&one), key("b"));
        assert_eq!(spellings.key(&one), None);
        let other_namespace = TargetKey { namespace: "other".into(), ..key("a") };
        spellings.known.write().unwrap().insert(spellings.hash(&one), other_namespace);
        assert_eq!(spellings.key(&one), None);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let spellings = Spellings::new(3);
        for number in 0..100 {
            let name = number.to_string();
            let one = object(&name, &[]);
            spellings.note(&one, &key(&name));
            assert_eq!(spellings.key(&one), Some(key(&name)));
            assert!(spellings.known.read().unwrap().len() <= 3);
        }
    }
}
