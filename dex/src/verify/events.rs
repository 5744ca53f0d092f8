//! The event log alone, applied to a kernel of its own.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use kernel::Kernel;
use schema::{Event, EventGroup, GroupIter};

use crate::log::Source;
use crate::state::{apply, state_hash};

/// What the event log gives by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct FromEvents {
    /// Last event.
    pub(super) event_sequence: u64,
    /// Trades among the events.
    pub(super) trade_count: u64,
    /// Hash of the state behind it.
    pub(super) state_hash: [u8; 32],
    /// Time spent in applying.
    pub(super) took: Duration,
}

/// Applies every stored event in order.
///
/// # Errors
/// The log cannot be read or applied: what is wrong and where.
pub(super) fn replay_events(source: &Source, bar: &ProgressBar) -> anyhow::Result<FromEvents> {
    let mut kernel = Kernel::new();
    let (mut trade_count, mut took) = (0, Duration::ZERO);
    for block in source.blocks()? {
        let block = block?;
        for group in GroupIter::new(block.payload()) {
            let group = group?;
            let began = Instant::now();
            apply(&mut kernel, &group)?;
            took += began.elapsed();
            trade_count += count_trades(&group)?;
        }
        bar.set_position(kernel.position().event_sequence);
    }
    Ok(FromEvents {
        event_sequence: kernel.position().event_sequence,
        trade_count,
        state_hash: state_hash(&kernel),
        took,
    })
}

fn count_trades(group: &EventGroup<'_>) -> anyhow::Result<u64> {
    let mut count = 0;
    for event in group.events() {
        count += u64::from(matches!(event?.1, Event::TradeExecuted(_)));
    }
    Ok(count)
}
