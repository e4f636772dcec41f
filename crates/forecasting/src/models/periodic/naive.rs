//! [`Naive`]: members that only say again what a season said, now and averaged over the seasons before.

/// `S(t+Q) = S(t) + α · (y(t) − S(t))`, read at the target; with `α` = 1 the value a period before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Naive {
    /// The period `Q` in days.
    pub(super) days: usize,
    /// `α`.
    pub(super) following: f64,
}

/// As yesterday; as last week; as the weeks before in the mean.
pub(super) static NAIVE: [Naive; 3] =
    [Naive { days: 1, following: 1.0 }, Naive { days: 7, following: 1.0 }, Naive { days: 7, following: 0.4 }];

/// What one of them says of each index, as soon as the load a period before is known.
#[derive(Debug, Clone)]
pub(super) struct Said {
    averages: Vec<f64>,
    period: usize,
}

impl Naive {
    /// What it says along `loads` and a period beyond them.
    pub(super) fn along(self, loads: &[f64], day: usize) -> Said {
        let period = self.days * day;
        let mut averages = Vec::with_capacity(loads.len() + period);
        averages.extend(loads.iter().take(period));
        averages.resize(period, 0.0);
        for (index, load) in loads.iter().enumerate() {
            let before = averages[index];
            averages.push(before + self.following * (load - before));
        }
        Said { averages, period }
    }
}

impl Said {
    /// What it says `ahead` steps after `origin`, from loads up to `origin` alone; `None` where those are less than a period.
    pub(super) fn at(&self, origin: usize, ahead: usize) -> Option<f64> {
        // beyond a period the last one known comes back
        let place = origin + ahead - (ahead - 1) / self.period * self.period;
        (place >= self.period).then(|| self.averages[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seasons_come_back_plain_and_averaged() {
        let loads = [1.0, 2.0, 3.0, 6.0, 5.0, 10.0];
        let plain = Naive { days: 1, following: 1.0 }.along(&loads, 2);
        assert_eq!([1, 2, 3].map(|ahead| plain.at(5, ahead)), [Some(5.0), Some(10.0), Some(5.0)]);
        assert_eq!((plain.at(2, 1), plain.at(0, 1), plain.at(1, 1)), (Some(2.0), None, Some(1.0)));
        let averaged = Naive { days: 1, following: 0.5 }.along(&loads, 2);
        assert_eq!(averaged.at(5, 1), Some(0.5 * 5.0 + 0.25 * 3.0 + 0.25 * 1.0));
    }
}
