//! Which forecaster a target belongs to: the one whose address and the target's key hash highest together.
//!
//! Every scaler comes to the same answer by itself. When a replica goes only its own targets move, and when one comes it
//! takes its share of everybody's and nothing else moves (Thaler and Ravishankar 1998, "Using name-based mappings to
//! increase hit rates").

use std::net::SocketAddr;

use series::TargetKey;
use sha2::{Digest as _, Sha256};

/// The owner of `key` among `replicas`; `None` where there are none.
pub(super) fn owner<'a>(key: &TargetKey, replicas: impl Iterator<Item = &'a SocketAddr>) -> Option<SocketAddr> {
    replicas.copied().max_by_key(|replica| (weight(key, *replica), *replica))
}

fn weight(key: &TargetKey, replica: SocketAddr) -> [u8; 8] {
    let mut hash = Sha256::new();
    // names hold no zero byte, so that no two keys run together
    for part in [&*key.namespace, &*key.name, &*key.digest] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(replica.to_string().as_bytes());
    let whole: [u8; 32] = hash.finalize().into();
    let mut weight = [0; 8];
    weight.copy_from_slice(&whole[..8]);
    weight
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn replicas(count: u8) -> Vec<SocketAddr> {
        (1..=count).map(|last| SocketAddr::from(([10, 0, 0, last], 6001))).collect()
    }

    fn owners(replicas: &[SocketAddr]) -> HashMap<TargetKey, SocketAddr> {
        let key =
            |number| TargetKey { namespace: "shop".into(), name: format!("app-{number}").into(), digest: "0a".into() };
        (0..3000).map(key).map(|key| (key.clone(), owner(&key, replicas.iter()).unwrap())).collect()
    }

    #[test]
    fn every_replica_has_its_share() {
        let owners = owners(&replicas(3));
        for replica in replicas(3) {
            let share = owners.values().filter(|owner| **owner == replica).count();
            assert!((850..1150).contains(&share), "{replica}: {share}");
        }
    }

    #[test]
    fn only_the_targets_of_a_lost_replica_move_and_a_new_one_takes_no_more_than_its_share() {
        let (three, four) = (owners(&replicas(3)), owners(&replicas(4)));
        let new = replicas(4)[3];
        let moved = three.iter().filter(|(key, before)| four[*key] != **before).count();
        assert!(
            four.iter().all(|(key, after)| *after == new || *after == three[key]),
            "what moves moves to the new one"
        );
        assert!((600..900).contains(&moved), "{moved}");
    }

    #[test]
    fn the_order_of_the_replicas_decides_nothing() {
        let mut turned = replicas(5);
        turned.reverse();
        assert_eq!(owners(&replicas(5)), owners(&turned));
    }

    #[test]
    fn the_answer_is_the_same_in_every_version() {
        let key = TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0a".into() };
        assert_eq!(owner(&key, replicas(9).iter()), Some(SocketAddr::from(([10, 0, 0, 1], 6001))));
        assert_eq!(owner(&key, [].iter()), None);
    }
}
