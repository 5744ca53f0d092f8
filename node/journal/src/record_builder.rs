//! Making a record: commands are encoded straight into its bytes.
//!
//! Owns the only way to a [`Sealed`] record: either built here command by command, or checked from
//! bytes that came from elsewhere. So whoever holds one may append it without looking inside.
//!
//! It does not choose numbers: first sequence and previous hash are the caller's, and the log
//! refuses the record if they do not extend its chain.

use crate::checksum::{Hash, hash};
use crate::fence::End;
use crate::limits::{COMMAND_PREFIX_SIZE, COMMANDS_PER_RECORD_MAX};
use crate::record::{
    RECORD_HEADER_SIZE, Record, RecordFault, RecordHeader, check_command_size, check_sequence,
    write_header,
};

/// A record being filled with 1 to 100 commands.
#[derive(Debug)]
pub struct RecordBuilder {
    header: RecordHeader,
    bytes: Vec<u8>,
}

/// A finished record: its bytes, its header and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    header: RecordHeader,
    hash: Hash,
    bytes: Vec<u8>,
}

impl RecordBuilder {
    /// Starts a record whose first command gets `first_sequence`.
    #[must_use]
    pub fn begin(epoch: u64, first_sequence: u64, previous: Hash) -> RecordBuilder {
        RecordBuilder::begin_in(Vec::new(), epoch, first_sequence, previous)
    }

    /// As [`begin`](Self::begin), in a buffer that is used again (see [`Sealed::into_bytes`]).
    #[must_use]
    pub fn begin_in(
        mut buffer: Vec<u8>,
        epoch: u64,
        first_sequence: u64,
        previous: Hash,
    ) -> RecordBuilder {
        assert!(first_sequence > 0, "sequences start at 1");
        buffer.clear();
        buffer.resize(RECORD_HEADER_SIZE, 0);
        let header = RecordHeader { epoch, first_sequence, count: 0, previous };
        RecordBuilder { header, bytes: buffer }
    }

    /// Appends one command, which `encode` writes to the end of the buffer it is given, and
    /// answers the command's sequence. On a fault the record is as before the call.
    pub fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<u64, RecordFault> {
        if self.is_full() {
            return Err(RecordFault::Count(self.header.count + 1));
        }
        check_sequence(self.header.first_sequence, self.header.count + 1)?;
        let prefix = self.bytes.len();
        let start = prefix + COMMAND_PREFIX_SIZE;
        self.bytes.resize(start, 0);
        encode(&mut self.bytes);
        assert!(self.bytes.len() >= start, "an encoder only appends");
        let size = self.bytes.len() - start;
        if let Err(fault) = check_command_size(size) {
            self.bytes.truncate(prefix);
            return Err(fault);
        }
        let size = u32::try_from(size).expect("bounded by COMMAND_SIZE_MAX");
        self.bytes[prefix..start].copy_from_slice(&size.to_le_bytes());
        self.header.count += 1;
        Ok(self.header.last_sequence())
    }

    /// Commands so far.
    #[must_use]
    pub fn count(&self) -> u16 {
        self.header.count
    }

    /// Whether another command would be one too many.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.header.count == COMMANDS_PER_RECORD_MAX
    }

    /// Finishes the record. A record without a command is a bug of the caller.
    #[must_use]
    pub fn seal(mut self) -> Sealed {
        assert!(self.header.count > 0, "a record holds at least one command");
        write_header(&mut self.bytes, &self.header);
        Sealed { header: self.header, hash: hash(&self.bytes), bytes: self.bytes }
    }
}

impl Sealed {
    /// Checks a record made elsewhere, such as one that another node sent.
    pub fn decode(bytes: Vec<u8>) -> Result<Sealed, RecordFault> {
        let record = Record::decode(&bytes)?;
        Ok(Sealed { header: *record.header(), hash: record.hash(), bytes })
    }

    /// A copy of a checked record.
    pub(crate) fn of(record: &Record<'_>) -> Sealed {
        Sealed { header: *record.header(), hash: record.hash(), bytes: record.bytes().to_vec() }
    }

    /// The record's header.
    #[must_use]
    pub fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// All its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 over all its bytes: what the next record names as previous.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The sequence of its last command.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.header.last_sequence()
    }

    /// The record for reading.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        Record::of_checked(self.header, &self.bytes)
    }

    /// The end of a log whose last record is this one.
    #[must_use]
    pub fn end(&self) -> End {
        End { epoch: self.header.epoch, sequence: self.last_sequence(), hash: self.hash }
    }

    /// Gives the buffer back, to build the next record in.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::CHAIN_START;
    use crate::limits::COMMAND_SIZE_MAX;

    fn builder() -> RecordBuilder {
        RecordBuilder::begin(7, 40, CHAIN_START)
    }

    /// covers: SEQ-14
    #[test]
    fn numbers_are_given_as_commands_are_written_and_100_is_the_most() {
        let mut builder = builder();
        for sequence in 40..140 {
            assert_eq!(builder.push(|buffer| buffer.push(1)), Ok(sequence));
        }
        assert!(builder.is_full());
        assert_eq!(builder.push(|buffer| buffer.push(1)), Err(RecordFault::Count(101)));
        let sealed = builder.seal();
        assert_eq!(sealed.header().count, 100);
        assert_eq!(sealed.last_sequence(), 139);
        let commands: Vec<_> = sealed.record().commands().collect();
        assert_eq!(commands.len(), 100);
        assert_eq!(commands[99], (139, &[1_u8][..]));
    }

    #[test]
    fn a_command_of_a_wrong_size_leaves_the_record_as_it_was() {
        let mut builder = builder();
        assert_eq!(builder.push(|buffer| buffer.extend_from_slice(b"one")), Ok(40));
        assert_eq!(builder.push(|_| {}), Err(RecordFault::CommandSize(0)));
        let size = COMMAND_SIZE_MAX + 1;
        let pushed = builder.push(|buffer| buffer.resize(buffer.len() + size, 9));
        assert_eq!(pushed, Err(RecordFault::CommandSize(size)));
        let largest = builder.push(|buffer| buffer.resize(buffer.len() + COMMAND_SIZE_MAX, 9));
        assert_eq!(largest, Ok(41));
        assert_eq!(builder.count(), 2);
        let sealed = builder.seal();
        assert_eq!(Sealed::decode(sealed.bytes().to_vec()), Ok(sealed));
    }

    #[test]
    fn sequences_stay_within_64_bits() {
        let mut builder = RecordBuilder::begin(1, u64::MAX - 1, CHAIN_START);
        assert_eq!(builder.push(|buffer| buffer.push(1)), Ok(u64::MAX - 1));
        let fault = builder.push(|buffer| buffer.push(1));
        assert_eq!(fault, Err(RecordFault::Sequence(u64::MAX - 1)));
    }

    #[test]
    fn a_buffer_is_used_again() {
        let mut builder = builder();
        assert_eq!(builder.push(|buffer| buffer.extend_from_slice(b"command")), Ok(40));
        let sealed = builder.seal();
        let mut again = RecordBuilder::begin_in(sealed.clone().into_bytes(), 7, 40, CHAIN_START);
        assert_eq!(again.push(|buffer| buffer.extend_from_slice(b"command")), Ok(40));
        assert_eq!(again.seal(), sealed);
    }
}
