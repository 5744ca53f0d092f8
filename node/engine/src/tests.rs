//! The engine as a whole: its promises under load, restart and faults.

mod answers;
mod divergence;
mod faults;
mod fees;
mod golden;
mod history;
mod mix;
mod own;
mod pipeline;
mod reads;
mod restart;
mod snapshots;
mod stepped;
mod times;
mod verify;
