//! The three doors of a shard: submit, events, query.
