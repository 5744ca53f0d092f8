//! The kernel complete at other sizes: many markets, many accounts, many resting orders.
//!
//! Owns the row of 100 markets over 10,000 accounts, and the rows of growth: how many times as long a command
//! takes when one of the three grows by a hundred or a thousand and the rest stays. Both sizes run in turns in
//! one process; the figure is the ratio of two runs side by side. The time is the kernel's alone, decoding left
//! out. They deliberately measure no memory: that is `memory.rs`.

use crate::crowd::{Crowd, Shape};
use crate::measure::{Figure, median_of};
use crate::row::{Row, Target};

pub(super) const MARKETS_100: Row = Row {
    name: "kernel.100_markets_commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(4_000_000.0),
    measure: || {
        let crowd = Crowd::new(Shape { markets: 100, accounts: 10_000, ..BASE });
        median_of(RUNS, || 1e9 / crowd.nanos_per_command())
    },
};

/// covers: STATE-44, STATE-45, STATE-46
pub(super) const RESTING: Row = Row {
    name: "kernel.growth.resting_orders_x100",
    unit: "times",
    target: Target::AtMost(2.0),
    measure: || growth(Shape { resting: 100 * BASE.resting, ..BASE }),
};

pub(super) const ACCOUNTS: Row = Row {
    name: "kernel.growth.accounts_x100",
    unit: "times",
    target: Target::AtMost(2.0),
    measure: || growth(Shape { accounts: 100 * BASE.accounts, ..BASE }),
};

pub(super) const MARKETS: Row = Row {
    name: "kernel.growth.markets_x1000",
    unit: "times",
    target: Target::AtMost(2.0),
    measure: || growth(Shape { markets: 1_000, ..BASE }),
};

/// The size of the benchmark stream.
const BASE: Shape = Shape { markets: 1, accounts: 1_000, resting: 10_000, commands: 1_000_000 };
const RUNS: usize = 3;

/// How many times as long a command takes at this size as at the stream's own.
fn growth(shape: Shape) -> Figure {
    let (small, large) = (Crowd::new(BASE), Crowd::new(shape));
    median_of(RUNS, || {
        let before = small.nanos_per_command();
        large.nanos_per_command() / before
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Markets in turns make the trades that each makes alone, and every run the same events.
    #[test]
    fn a_crowd_makes_its_trades() {
        let shape = Shape { markets: 7, accounts: 100, resting: 210, commands: 7_000 };
        assert!(Crowd::new(shape).nanos_per_command() > 0.0);
    }
}
