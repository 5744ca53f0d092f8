//! From runs to a figure.
//!
//! Owns the two statistics of the benchmarks: the median of whole runs, with the spread beside it, and
//! the nearest-rank percentile of single samples. It deliberately throws no run away: on a shared
//! machine the spread says how far the median can be trusted.

/// The median of several runs, and the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The middle run; of an even count the lower middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// Measures `runs` times, at least once.
pub fn median_of(runs: usize, mut measure: impl FnMut() -> f64) -> Figure {
    assert!(runs > 0, "a figure needs a run");
    let mut values: Vec<f64> = (0..runs).map(|_| measure()).collect();
    values.sort_by(f64::total_cmp);
    Figure { median: values[(runs - 1) / 2], min: values[0], max: values[runs - 1] }
}

/// The sample that `per_mille` of all are at or below; 990 is p99. Sorts the samples.
pub fn percentile(samples: &mut [u32], per_mille: usize) -> u32 {
    assert!(!samples.is_empty() && (1..=1_000).contains(&per_mille));
    let rank = (samples.len() * per_mille).div_ceil(1_000);
    *samples.select_nth_unstable(rank - 1).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_run_and_the_spread_stands_beside_it() {
        let mut runs = [3.0, 1.0, 2.0, 9.0].into_iter();
        let figure = median_of(4, || runs.next().unwrap());
        assert_eq!(figure, Figure { median: 2.0, min: 1.0, max: 9.0 });
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let mut samples: Vec<u32> = (1..=200).rev().collect();
        assert_eq!(percentile(&mut samples, 990), 198);
        assert_eq!(percentile(&mut samples, 1_000), 200);
        assert_eq!(percentile(&mut samples, 500), 100);
        assert_eq!(percentile(&mut [5], 1), 5);
    }
}
