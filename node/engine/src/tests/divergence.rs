//! Nodes that part: what differs is found by the hash of its window, and where a log is replayed is no matter.

use journal::{CommandLog as _, OwnedBlock};
use schema::limits::{HASH_WINDOW, SHADOW_LAG_WINDOW_MAX};
use schema::{Amounts, Event, EventBuffer, EventGroup, GroupIter, UpdateReason};

use super::mix::Mix;
use crate::shadow::Shadow;
use crate::testing::{Disks, clock, config, open_venue, submit};
use crate::view::{Changes, View};
use crate::{Engine, ManualClock, ReplayFault};
