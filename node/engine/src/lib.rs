//! Clock, sequencer, executor, releaser, shadow and recovery of one shard.
