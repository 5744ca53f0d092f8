//! Commands, with what came of them.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{anyhow, ensure};
use kernel::Kernel;
use schema::{EventBuffer, Reply, Stamped, decode_command};

use super::Source;
use super::filter::{Filter, Found};
use super::print::{Printer, Row};
use crate::flow::bar;
use crate::render::render_command;

/// Prints the commands that the filter leaves.
///
/// # Errors
/// The log cannot be read, or its commands cannot be.
pub(super) fn print<W: Write>(
    source: &Source,
    filter: &Filter,
    printer: &mut Printer<W>,
) -> anyhow::Result<()> {
    let bar = bar("reading commands", source.command_end().min(filter.to));
    let mut executor = Executor::default();
    'log: for record in source.records()? {
        let record = record?;
        for (sequence, bytes) in record.record().commands() {
            if sequence > filter.to {
                break 'log;
            }
            let stamped = decode_command(bytes, sequence)
                .map_err(|fault| anyhow!("command {sequence} cannot be read: {fault}"))?;
            let reply = executor.execute(&stamped)?;
            if sequence < filter.from {
                bar.set_position(sequence);
                continue;
            }
            let named = render_command(&executor.kernel, &stamped, &reply);
            let kind = stamped.command.kind().name();
            let found = Found {
                number: sequence,
                time: stamped.stamp,
                kind,
                accounts: &named.accounts,
                orders: &named.orders,
                symbols: &[],
            };
            if !filter.takes(&found) {
                continue;
            }
            if printer.is_fresh() {
                bar.finish_and_clear();
            }
            let main = [&named.body, &named.outcome];
            printer
                .print(&named.object, &Row { sequence, time: stamped.stamp, kind, main: &main })?;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// A kernel that executes a log again.
#[derive(Default)]
struct Executor {
    kernel: Kernel,
    events: EventBuffer,
}

impl Executor {
    fn execute(&mut self, stamped: &Stamped) -> anyhow::Result<Reply> {
        let sequence = stamped.sequence;
        let position = self.kernel.position();
        ensure!(
            position.command_sequence + 1 == sequence,
            "command {sequence} is not the next one"
        );
        ensure!(stamped.stamp >= position.last_stamp, "the stamp of command {sequence} goes back");
        self.events.clear();
        // A broken invariant is an answer here: nothing but this kernel is at stake.
        catch_unwind(AssertUnwindSafe(|| self.kernel.execute(stamped, &mut self.events)))
            .map_err(|_| anyhow!("the core stopped at command {sequence}; `dex verify` tells more"))
    }
}
