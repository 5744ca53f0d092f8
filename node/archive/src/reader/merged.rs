//! Several lists walked as one, in order of sequence.

use super::Answered;
use crate::fault::ArchiveFault;

/// Sequences in order.
pub(super) type Items = Box<dyn Iterator<Item = Answered<u64>>>;

/// Lists that have no sequence in common.
#[derive(Default)]
pub(super) struct Merged {
    lists: Vec<(Option<u64>, Items)>,
    fault: Option<ArchiveFault>,
}

impl Merged {
    /// One list more.
    pub(super) fn add(&mut self, mut items: Items) {
        let first = self.pull(&mut items);
        self.lists.push((first, items));
    }

    fn pull(&mut self, items: &mut Items) -> Option<u64> {
        match items.next()? {
            Ok(sequence) => Some(sequence),
            Err(fault) => {
                self.fault = Some(fault);
                None
            }
        }
    }
}

impl Iterator for Merged {
    type Item = Answered<u64>;

    fn next(&mut self) -> Option<Answered<u64>> {
        if let Some(fault) = self.fault.take() {
            self.lists.clear();
            return Some(Err(fault));
        }
        let heads = self.lists.iter().enumerate();
        let (place, sequence) =
            heads.filter_map(|(place, (head, _))| Some((place, (*head)?))).min_by_key(|it| it.1)?;
        let (_, mut items) = self.lists.swap_remove(place);
        let head = self.pull(&mut items);
        self.lists.push((head, items));
        Some(Ok(sequence))
    }
}
