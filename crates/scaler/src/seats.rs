//! [`Seats`]: all seats by target, and what they add up to in each namespace, so that a new one among thousands is not compared with each of them.

use std::collections::HashMap;
use std::sync::Arc;

use policy::Target;
use series::TargetKey;

use crate::limits::{Limits, NoSeat};
use crate::seat::Seat;

/// The seats by target.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    by_key: HashMap<TargetKey, Arc<Seat>>,
    /// Those that have any.
    namespaces: HashMap<Arc<str>, Namespace>,
}

/// What the targets of one namespace add up to.
#[derive(Debug, Default)]
struct Namespace {
    targets: usize,
    /// Of history that they ask for.
    samples: usize,
    /// By the name of their ScaledObject.
    objects: HashMap<Arc<str>, Vec<TargetKey>>,
}

impl Seats {
    pub(crate) fn get(&self, key: &TargetKey) -> Option<&Arc<Seat>> {
        self.by_key.get(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &TargetKey> {
        self.by_key.keys()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Seat>> {
        self.by_key.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The seats of all triggers of the ScaledObject that `key` is a trigger of.
    pub(crate) fn of_object(&self, key: &TargetKey) -> impl Iterator<Item = &Arc<Seat>> {
        let namespace = self.namespaces.get(&key.namespace);
        let own = namespace.and_then(|namespace| namespace.objects.get(&key.name));
        own.into_iter().flatten().filter_map(|key| self.by_key.get(key))
    }

    /// Whether one more seat, for `target`, is within `limits`.
    ///
    /// # Errors
    /// [`NoSeat`] where it is not.
    pub(crate) fn have_room(&self, target: &Target, limits: Limits) -> Result<(), NoSeat> {
        if self.len() >= limits.targets {
            return Err(NoSeat::Total(limits.targets));
        }
        let (targets, before) =
            self.namespaces.get(&target.key.namespace).map_or((0, 0), |own| (own.targets, own.samples));
        if targets >= limits.targets_per_namespace {
            return Err(NoSeat::Namespace(limits.targets_per_namespace));
        }
        let (asked, most) = (before.saturating_add(samples(target)), limits.samples_per_namespace);
        if asked > most {
            return Err(NoSeat::Samples { asked, most });
        }
        Ok(())
    }

    /// Adds a seat whose target has none.
    pub(crate) fn add(&mut self, seat: Arc<Seat>) {
        let target = Arc::clone(seat.target());
        let key = &target.key;
        if self.by_key.insert(key.clone(), seat).is_some() {
            return;
        }
        let namespace = self.namespaces.entry(Arc::clone(&key.namespace)).or_default();
        namespace.targets += 1;
        namespace.samples = namespace.samples.saturating_add(samples(&target));
        namespace.objects.entry(Arc::clone(&key.name)).or_default().push(key.clone());
    }

    /// Takes the seat of `key` away, where it has one.
    pub(crate) fn remove(&mut self, key: &TargetKey) {
        let Some(seat) = self.by_key.remove(key) else { return };
        let Some(namespace) = self.namespaces.get_mut(&key.namespace) else { return };
        namespace.targets -= 1;
        namespace.samples = namespace.samples.saturating_sub(samples(seat.target()));
        if let Some(own) = namespace.objects.get_mut(&key.name) {
            own.retain(|other| other != key);
            if own.is_empty() {
                namespace.objects.remove(&key.name);
            }
        }
        if namespace.targets == 0 {
            self.namespaces.remove(&key.namespace);
        }
    }
}

/// How many samples of history `target` asks for.
fn samples(target: &Target) -> usize {
    target.request.step.count_in(target.request.history)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use series::Timestamp;

    use super::*;

    fn target(namespace: u8, name: u8, days: u8) -> Target {
        let window = format!("{days}d");
        let metadata = [
            ("query", "sum(load)"),
            ("threshold", "10"),
            ("serverAddress", "http://p:9090"),
            ("historyTimeWindow", &window),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let (namespace, name) = (format!("namespace-{namespace}"), format!("object-{name}"));
        crate::parse_target(&namespace, &name, &metadata.into(), &crate::Defaults::default()).unwrap()
    }

    proptest! {
        /// However seats come and go, the sums are those of a count.
        #[test]
        fn namespaces_add_up(steps in prop::collection::vec((any::<bool>(), 0..3_u8, 0..3_u8, 1..5_u8), 0..40)) {
            let mut seats = Seats::default();
            for (comes, namespace, name, days) in steps {
                let target = target(namespace, name, days);
                if comes {
                    seats.add(Arc::new(Seat::new(target, Timestamp::UNIX_EPOCH)));
                } else {
                    seats.remove(&target.key);
                }
                for (namespace, sums) in &seats.namespaces {
                    let own = || seats.iter().filter(|seat| seat.target().key.namespace == *namespace);
                    prop_assert_eq!(sums.targets, own().count());
                    prop_assert_eq!(sums.samples, own().map(|seat| samples(seat.target())).sum::<usize>());
                    prop_assert_eq!(sums.objects.values().map(Vec::len).sum::<usize>(), sums.targets);
                }
                for seat in seats.iter() {
                    let key = &seat.target().key;
                    let of_object = seats.iter().map(|seat| &seat.target().key);
                    let of_object = of_object.filter(|other| other.name == key.name && other.namespace == key.namespace);
                    prop_assert_eq!(seats.of_object(key).count(), of_object.count());
                }
            }
        }
    }
}
