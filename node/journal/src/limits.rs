//! Every bound of the stored formats, by name.
//!
//! Owns the sizes and counts that encoders refuse to exceed and that decoders use before they
//! allocate anything. A change here changes what old files may contain, so it is a change of
//! format: see `docs/formats/record.md`.
//!
//! It does not hold tuning values of a running log (segment size): those are options.

/// The largest number of commands in one record (SEQ-14).
pub const COMMANDS_PER_RECORD_MAX: u16 = 100;

/// The largest command in bytes; the smallest is one byte.
pub const COMMAND_SIZE_MAX: usize = 64 * 1024;

/// Bytes of the length in front of each command in a record's payload.
pub const COMMAND_PREFIX_SIZE: usize = 4;

/// The largest payload of a record in bytes.
pub const RECORD_PAYLOAD_SIZE_MAX: usize =
    COMMANDS_PER_RECORD_MAX as usize * (COMMAND_PREFIX_SIZE + COMMAND_SIZE_MAX);

/// The largest payload of an event block in bytes: all events of one command record.
pub const BLOCK_PAYLOAD_SIZE_MAX: usize = 64 * 1024 * 1024;

/// Bytes that may wait for one sync; reaching it makes the log sync of its own accord.
pub const PENDING_SIZE_MAX: usize = 8 * 1024 * 1024;

/// The largest body of one flush: what waited, plus one last item of the largest kind.
pub const FLUSH_BODY_SIZE_MAX: usize =
    PENDING_SIZE_MAX + crate::block::BLOCK_HEADER_SIZE + BLOCK_PAYLOAD_SIZE_MAX;

/// The segment size when nothing else is asked for.
pub const SEGMENT_SIZE_DEFAULT: u64 = 64 * 1024 * 1024;

/// The smallest segment size that may be asked for. A larger item gets a larger segment.
pub const SEGMENT_SIZE_MIN: u64 = 4 * 1024;
