//! `dex log`: what is in the logs of a data folder.

mod read_only;
mod source;

pub(crate) use source::{Source, check_folder};
