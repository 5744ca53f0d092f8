//! A view in bytes: the kernel's own, and what the view keeps beside it of open orders.
//!
//! One state has one encoding (RPL-42): orders stand in order of their numbers. The memory of ended orders
//! is left out; the archive has them.

use kernel::{Entity, Kernel, LoadError};
use schema::wire::{
    DecodeError, Reader, write_amount, write_id, write_label, write_option, write_u64,
};
use schema::{ClockStatus, Trigger, TriggerKind, TriggerSource};

use super::ended::EndedOrders;
use super::fast::FastMap;
use super::{Asked, Touched, View};
use crate::joined::both;

impl View {
    /// Appends the kernel and what the view keeps beside it.
    pub(crate) fn save(&self, out: &mut Vec<u8>) {
        let mut kernel = Vec::new();
        self.kernel.save(&mut kernel);
        write_u64(out, kernel.len() as u64);
        out.extend_from_slice(&kernel);
        drop(kernel);
        out.push(self.clock.number());
        let orders = self.kernel.entities().filter_map(|entity| match entity {
            Entity::Order(sequence) => self.asked.get(&sequence).map(|asked| (sequence, asked)),
            _ => None,
        });
        let orders: Vec<(u64, &Asked)> = orders.collect();
        write_u64(out, orders.len() as u64);
        for (sequence, asked) in orders {
            write_u64(out, sequence);
            write_option(out, asked.client_order_id.as_ref(), write_label);
            write_option(out, asked.trigger, |out, trigger| {
                out.extend_from_slice(&[trigger.kind.number(), trigger.source.number()]);
                write_amount(out, trigger.price);
            });
            write_option(out, asked.oco_with, write_id);
        }
    }

    /// The view that was saved, and a kernel of the same state that nobody watches.
    pub(crate) fn load(
        reader: &mut Reader<'_>,
        ended_count_max: usize,
    ) -> Result<(Self, Kernel), LoadError> {
        // Two kernels of one state: on a large one a thread for each.
        let size = usize::try_from(reader.u64()?).map_err(|_| DecodeError::BadNumber)?;
        let bytes = reader.take(size)?;
        let (kernel, unwatched) = both(
            size >= SHARED_SIZE_MIN,
            || Kernel::load_watched(bytes, Touched::default()),
            || Kernel::load(bytes),
        );
        let (kernel, unwatched) = (kernel?, unwatched?);
        let clock = reader.tag(ClockStatus::from_number)?;
        let mut asked = FastMap::default();
        for _ in 0..reader.u64()? {
            let sequence = reader.u64()?;
            let client_order_id = reader.option(Reader::label)?;
            let trigger = reader.option(|reader| {
                let kind = reader.tag(TriggerKind::from_number)?;
                let source = reader.tag(TriggerSource::from_number)?;
                Ok(Trigger { kind, price: reader.amount()?, source })
            })?;
            let of = Asked { client_order_id, trigger, oco_with: reader.option(Reader::id)? };
            if kernel.order_of(sequence).is_none() || asked.insert(sequence, of).is_some() {
                return Err(LoadError::Inconsistent);
            }
        }
        let ended = EndedOrders::new(ended_count_max);
        let view = Self { kernel, ended, asked, clock, broken: false };
        Ok((view, unwatched))
    }
}

/// Bytes of a state from which on its kernels are loaded beside each other.
const SHARED_SIZE_MIN: usize = if cfg!(test) { 1 << 10 } else { 16 << 20 };
