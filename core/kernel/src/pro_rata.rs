//! Sharing a price level by size (LIFE-23, P01-7).

use alloc::vec::Vec;

use units::Lots;

/// How many of `lots` each order of a level gets, in time order. Shares follow what the orders have
/// left, rounded down; the rest goes in time order, to each order at most what it has left.
///
/// `lots` is at most the sum of `level`.
pub(crate) fn share(lots: Lots, level: &[Lots]) -> Vec<Lots> {
    let total: u128 = level.iter().map(|order| u128::from(order.0)).sum();
    assert!(u128::from(lots.0) <= total, "what is shared is there");
    if total == 0 {
        return Vec::new();
    }
    let part = |order: &Lots| {
        let share = u128::from(lots.0) * u128::from(order.0) / total;
        Lots(u64::try_from(share).expect("a share is at most the order"))
    };
    let mut shares: Vec<Lots> = level.iter().map(part).collect();
    let mut rest = lots.0 - shares.iter().map(|share| share.0).sum::<u64>();
    for (share, order) in shares.iter_mut().zip(level) {
        let more = rest.min(order.0 - share.0);
        share.0 += more;
        rest -= more;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(lots: u64, level: &[u64]) -> Vec<u64> {
        let level: Vec<Lots> = level.iter().map(|&lots| Lots(lots)).collect();
        share(Lots(lots), &level).into_iter().map(|share| share.0).collect()
    }

    /// covers: LIFE-62, LIFE-63
    #[test]
    fn known_answers() {
        assert_eq!(shares(4, &[5, 3, 2]), [3, 1, 0]);
        assert_eq!(shares(7, &[2, 50, 48]), [1, 3, 3]);
        assert_eq!(shares(3, &[1, 1, 98]), [1, 0, 2]);
    }

    /// All of it is given, nobody gets more than it has, and no number is too large.
    #[test]
    fn everything_is_shared() {
        assert_eq!(shares(u64::MAX, &[u64::MAX, u64::MAX]), [u64::MAX / 2 + 1, u64::MAX / 2]);
        assert_eq!(shares(6, &[1, 2, 3]), [1, 2, 3]);
        assert_eq!(shares(0, &[1, 2]), [0, 0]);
    }
}
