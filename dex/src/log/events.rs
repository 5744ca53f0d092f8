//! Events, rendered.

use std::io::Write;

use schema::GroupIter;

use super::Source;
use super::filter::{Filter, Found};
use super::print::{Printer, Row};
use crate::flow::bar;
use crate::render::Renderer;

/// Prints the events that the filter leaves.
///
/// # Errors
/// The log cannot be read, or its events cannot be.
pub(super) fn print<W: Write>(
    source: &Source,
    filter: &Filter,
    printer: &mut Printer<W>,
) -> anyhow::Result<()> {
    let bar = bar("reading events", source.event_end().min(filter.to));
    let mut renderer = Renderer::new();
    'log: for block in source.blocks()? {
        let block = block?;
        for group in GroupIter::new(block.payload()) {
            let group = group?;
            let first = group.head.first_sequence;
            if first > filter.to {
                break 'log;
            }
            // The number behind the last event: a damaged head must not overflow.
            if first.saturating_add(group.count.into()) <= filter.from {
                renderer.pass(&group)?;
                bar.set_position(first);
                continue;
            }
            for event in renderer.render(&group)? {
                let found = Found {
                    number: event.head.sequence,
                    time: event.head.timestamp,
                    kind: event.kind.name(),
                    accounts: &event.accounts,
                    orders: &event.orders,
                    symbols: &event.symbols,
                };
                if !filter.takes(&found) {
                    continue;
                }
                if printer.is_fresh() {
                    bar.finish_and_clear();
                }
                let row = Row {
                    sequence: event.head.sequence,
                    time: event.head.timestamp,
                    kind: event.kind.name(),
                    main: &[&event.payload],
                };
                printer.print(&event.object, &row)?;
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}
