//! The engine as a whole: its promises under load, restart and faults.

mod answers;
mod clock_guard;
mod divergence;
mod faults;
mod fees;
mod golden;
mod history;
mod mix;
mod own;
mod pipeline;
mod quarantine;
mod reads;
mod restart;
mod room;
mod segments;
mod snapshots;
mod stepped;
mod times;
mod verify;
