//! The simulator: a whole shard on a simulated disk, network and clock, from one seed.
//!
//! Owns one thread in which the node's own code runs, stage by stage (`engine::Stepped`), on a disk that
//! loses and tears (`disk.rs`), under clocks that jump (`clock.rs`), behind a network that loses, doubles,
//! delays and reorders (`world/clients.rs`), and an auditor that holds what clients saw against the
//! specification (`auditor.rs`). Invariant: a run follows from its plan, the plan from its seed (`plan.rs`).
//! It deliberately knows nothing of the inside of the node. What only threads add is tested with the engine's hand-overs. Read `run.rs` first, then `world.rs`.

mod auditor;
mod clock;
mod consumer;
mod coverage;
mod disk;
mod plan;
mod run;
mod seeds;
mod tap;
mod violation;
mod world;

pub use coverage::Coverage;
pub use run::{Failure, Report, check, note_panics};
pub use seeds::{Kept, first_of, kept};
