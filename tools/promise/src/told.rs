//! An event log read to its end: what was submitted, which hashes are on record.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use journal::disk::RealDisk;
use journal::limits::SEGMENT_SIZE_MIN;
use journal::{EventLog, Preparation, SegmentOptions};
use schema::{Event, EventHead, GroupIter};
use units::Id;

/// What the event log tells.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Ids of the orders that were submitted under each client's key.
    pub(crate) orders: HashMap<String, Vec<String>>,
    /// State hashes in hexadecimal, by the event they were taken at.
    pub(crate) hashes: HashMap<u64, String>,
}

/// Reads the event log in a data folder that nobody uses.
pub(crate) fn read(data: &Path) -> Told {
    let mut told = Told::default();
    each(data, |head, event| {
        told.add(event, || Id::derive(head.timestamp, 0, head.sequence).expect("an id"));
    });
    told
}

/// Shows each event of a data folder that nobody uses, in order.
pub(crate) fn each(data: &Path, mut visit: impl FnMut(EventHead, &Event)) {
    let options = SegmentOptions { size: SEGMENT_SIZE_MIN, preparation: Preparation::Inline };
    let opened = EventLog::open(Arc::new(RealDisk), &data.join("events"), options);
    let (log, opened) = opened.expect("an event log");
    assert_eq!(opened.cut, None, "a graceful end leaves no unfinished tail");
    for block in log.read(1).expect("readable") {
        let block = block.expect("a block");
        for group in GroupIter::new(block.payload()) {
            for event in group.expect("a group").events() {
                let (head, event) = event.expect("an event");
                visit(head, &event);
            }
        }
    }
}

impl Told {
    fn add(&mut self, event: &Event, id: impl Fn() -> Id) {
        match event {
            Event::OrderSubmitted(order) => {
                let key = order.client_order_id.expect("every order here has a key");
                self.orders.entry(key.to_string()).or_default().push(id().to_string());
            }
            Event::StateHashRecorded(hash) => {
                let text = hash.state_hash.iter().map(|byte| format!("{byte:02x}")).collect();
                self.hashes.insert(hash.at_sequence, text);
            }
            _ => {}
        }
    }
}
