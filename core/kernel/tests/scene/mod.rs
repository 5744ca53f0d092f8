//! Scenes: short examples of the specification, text in, tables out.
//!
//! A `.scene` file holds scenes of one topic; each says which rule it shows, what stands at the start,
//! what is done, and exactly what comes of it. `README.md` beside the scenes is the manual of the
//! format. `parse.rs` reads a file and refuses every unknown word with its line; `stage.rs` runs a
//! scene; `lines.rs` and `tables.rs` show what happened. Values in scenes are worked out by hand from
//! the specification: a scene is never recorded from the kernel.

pub(crate) mod acts;
mod commands;
mod direct;
pub(crate) mod lines;
pub(crate) mod operator;
pub(crate) mod parse;
pub(crate) mod setup;
pub(crate) mod stage;
pub(crate) mod tables;
mod watch;
pub(crate) mod words;

pub(crate) use parse::parse;
pub(crate) use stage::run;
