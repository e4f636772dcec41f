//! Publishing through the HPA's dead band.
//!
//! An HPA ignores a metric within its tolerance, a tenth, of `target × replicas`. A forecast published as it is rises through that band
//! minute by minute, is ignored there, and acts too late. So a wanted rise is published just outside the band, a
//! wanted fall inside it as no change, and everything else as it is. Whatever the estimate of the replica count says, the
//! value published is never below the demand: a wrong estimate can cost pods, it cannot take away any that are needed.
//! And no change for the estimated fleet is a rise for one that is too small: an HPA that missed a rise gets it then.

use series::Load;

use crate::{FleetEstimate, Publication, Threshold};

/// Room for the rounding of thousandths and of the HPA's own division.
pub(crate) const HAIR: f64 = 1e-4;

/// A load that takes `pods` pods: in the middle of what only they carry, so that no rounding orders one more or one less.
pub(crate) fn carrying(pods: u32, threshold: Threshold) -> Load {
    Load::new((f64::from(pods) - 0.5).max(0.0) * threshold.get()).unwrap_or(Load::ZERO)
}

/// The value that moves an HPA of about `fleet` replicas to what `demand` needs, and how it was found.
pub(crate) fn publish(demand: Load, threshold: Threshold, fleet: &FleetEstimate) -> (Load, Publication) {
    let carried = threshold.get() * f64::from(fleet.replicas());
    let needed = fleet.needed(demand);
    let (up, down) = fleet.tolerances();
    let outside_band = |carried: f64| carried * (1.0 + up) * (1.0 + HAIR);
    let (value, publication) = if needed > fleet.replicas() {
        let outside = outside_band(carried);
        if outside > demand.get() { (outside, Publication::Raised) } else { (demand.get(), Publication::AsIs) }
    } else if demand.get() < carried * (1.0 - down) * (1.0 - HAIR) {
        (demand.get(), Publication::AsIs)
    } else {
        // outside the band of one pod too few, inside that of the estimate
        let rise_of_short = outside_band(threshold.get() * f64::from(needed - 1));
        let inside = carried * (1.0 + up) * (1.0 - HAIR);
        (carried.max(demand.get()).max(rise_of_short.min(inside)), Publication::Held)
    };
    // beyond `Load::MAX` only the demand itself is sure to be a load
    Load::new(value).map_or((demand, Publication::AsIs), |value| (value, publication))
}

#[cfg(test)]
mod tests {
    use series::Timestamp;

    use super::*;
    use crate::Tolerance;

    fn published(demand: f64, replicas: u32) -> (f64, Publication) {
        let threshold = Threshold::new(10.0).unwrap();
        let carried = Load::new(f64::from(replicas) * 10.0).unwrap();
        let fleet = FleetEstimate::sized_for(carried, threshold, Tolerance::DEFAULT, Timestamp::UNIX_EPOCH);
        let (value, publication) = publish(Load::new(demand).unwrap(), threshold, &fleet);
        (value.get(), publication)
    }

    #[test]
    fn a_small_rise_goes_just_outside_the_band() {
        let (value, publication) = published(101.0, 10);
        assert_eq!(publication, Publication::Raised);
        assert!(value > 110.0 && value < 110.1, "{value}");
    }

    #[test]
    fn a_large_rise_and_a_large_fall_go_as_they_are() {
        assert_eq!(published(150.0, 10), (150.0, Publication::AsIs));
        assert_eq!(published(80.0, 10), (80.0, Publication::AsIs));
        assert_eq!(published(0.0, 10), (0.0, Publication::AsIs));
    }

    #[test]
    fn a_small_fall_is_no_change() {
        assert_eq!(published(95.0, 10), (100.0, Publication::Held));
        assert_eq!(published(100.0, 10), (100.0, Publication::Held));
        assert_eq!(published(90.0, 10), (100.0, Publication::Held));
    }

    #[test]
    fn no_change_for_the_estimate_is_a_rise_for_a_smaller_fleet_and_none_for_the_estimate_itself() {
        let threshold = Threshold::new(10.0).unwrap();
        let synced = |replicas: u32, value: f64| {
            let carried = Load::new(f64::from(replicas) * 10.0).unwrap();
            let mut real = FleetEstimate::sized_for(carried, threshold, Tolerance::DEFAULT, Timestamp::UNIX_EPOCH);
            real.follow(Load::new(value).unwrap(), Timestamp::from_second(15).unwrap());
            real.replicas()
        };
        for (estimate, needed) in [(1, 1), (2, 2), (10, 10), (11, 11), (12, 11), (20, 19), (100, 95), (20_000, 19_999)]
        {
            let demand = f64::from(needed) * 10.0 - 1.0;
            let (value, publication) = published(demand, estimate);
            assert_eq!(publication, Publication::Held);
            assert_eq!(synced(estimate, value), estimate, "{value} moves the estimated {estimate}");
            for real in (1..needed).rev().take(3).filter(|_| needed < 10_000) {
                assert!(synced(real, value) >= needed, "{value} leaves {real} pods, {needed} are needed");
            }
        }
    }
}
