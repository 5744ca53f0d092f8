//! Reading items from a number on, while the log may be appended to.
//!
//! Owns an iterator with file handles of its own. It reads what was durable when it was made and
//! checks every checksum and the chain again; flushes in front of the wanted number are passed by
//! their heads alone. The first fault is the last thing it answers.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::disk::Disk;
use crate::fault::{DamageReason, LogFault};
use crate::segments::damaged;
use crate::segments::header::{SEGMENT_HEADER_SIZE, SegmentName};
use crate::segments::item::Item;
use crate::segments::scan::{Access, Flush, Found, OpenSegment};

/// The items of a log that hold the numbers `from..=until`.
#[derive(Debug)]
pub(crate) struct ItemReader<T: Item> {
    disk: Arc<dyn Disk>,
    /// Segments not yet opened.
    names: VecDeque<SegmentName>,
    segment: Option<(OpenSegment, u64)>,
    flush: Option<(Flush, usize)>,
    /// The end of the log at the last item read.
    end: Option<T::End>,
    from: u64,
    until: u64,
    failed: bool,
}

impl<T: Item> ItemReader<T> {
    /// A reader over `names`, which hold everything up to `until`.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        names: &[SegmentName],
        from: u64,
        until: u64,
    ) -> ItemReader<T> {
        let from = from.max(1);
        let later = names.partition_point(|name| name.first_number <= from);
        let names = names[later.saturating_sub(1)..].iter().cloned().collect();
        ItemReader {
            disk,
            names,
            segment: None,
            flush: None,
            end: None,
            from,
            until,
            failed: false,
        }
    }

    /// The number after the last item read, or the first one wanted.
    pub(crate) fn next_number(&self) -> u64 {
        self.end.as_ref().map_or(self.from, |end| T::last_number(end) + 1)
    }

    /// The last number it will read.
    pub(crate) fn until(&self) -> u64 {
        self.until
    }

    fn read_next(&mut self) -> Result<Option<T>, LogFault> {
        while self.next_number() <= self.until {
            let Some((flush, at)) = self.flush.take() else {
                let flush = self.read_flush()?;
                self.flush = Some((flush, 0));
                continue;
            };
            if at == flush.body().len() {
                continue;
            }
            let (item, size) = self.take_item(&flush, at)?;
            self.flush = Some((flush, at + size));
            if item.numbers().1 >= self.from {
                self.end = Some(item.end());
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    fn take_item(&self, flush: &Flush, at: usize) -> Result<(T, usize), LogFault> {
        let path = self.segment.as_ref().map(|(segment, _)| &segment.path);
        let path = path.expect("a flush was read from a segment");
        let offset = flush.body_offset() + at as u64;
        let (item, size) =
            T::take(&flush.body()[at..]).map_err(|why| damaged(path, offset, why))?;
        match &self.end {
            Some(end) => item.check_extends(end).map_err(|why| damaged(path, offset, why))?,
            None if item.numbers().0 > self.from => {
                let reason = DamageReason::Gap { expected: self.from, found: item.numbers().0 };
                return Err(damaged(path, offset, reason));
            }
            None => {}
        }
        Ok((item, size))
    }

    /// The next flush that holds a wanted number.
    fn read_flush(&mut self) -> Result<Flush, LogFault> {
        loop {
            let Some((segment, offset)) = &mut self.segment else {
                self.segment = Some((self.open_next()?, SEGMENT_HEADER_SIZE));
                continue;
            };
            match segment.find_head(*offset)? {
                Some(head) if head.last_number() < self.from => *offset += head.stored_size(),
                Some(_) => {
                    let Found::Flush(flush) = segment.find(*offset)? else {
                        return Err(damaged(&segment.path, *offset, DamageReason::Checksum));
                    };
                    *offset = flush.end();
                    return Ok(flush);
                }
                None if self.names.is_empty() => {
                    return Err(damaged(&segment.path, *offset, DamageReason::Checksum));
                }
                None => self.segment = None,
            }
        }
    }

    fn open_next(&mut self) -> Result<OpenSegment, LogFault> {
        let name = self.names.pop_front().expect("segments hold everything up to `until`");
        OpenSegment::open(&*self.disk, &name, T::KIND, Access::Read)
    }
}

impl<T: Item> Iterator for ItemReader<T> {
    type Item = Result<T, LogFault>;

    fn next(&mut self) -> Option<Result<T, LogFault>> {
        if self.failed {
            return None;
        }
        let next = self.read_next().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}
