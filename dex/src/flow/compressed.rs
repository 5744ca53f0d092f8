//! Recordings as they lie on disk: plain, gzip or Zstandard.
//!
//! What a file is, its first bytes tell, not its name. Both formats may have several parts one behind
//! the other, and a part whose checksum is wrong is refused. A Zstandard file may need a window of up to
//! 128 MiB, as `zstd --long=27` makes it; one that needs more is refused before it takes the memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read};
use std::path::Path;

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Opens a recording for reading, whatever it is compressed with.
///
/// # Errors
/// The file cannot be opened or read.
pub(super) fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let front = reader.fill_buf().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(if front.starts_with(&GZIP_MAGIC) {
        Box::new(BufReader::new(MultiGzDecoder::new(reader)))
    } else if front.starts_with(&ZSTD_MAGIC) {
        Box::new(BufReader::new(Zstd { source: reader, decoder: new_decoder(), begun: false }))
    } else {
        Box::new(reader)
    })
}

/// The frames of a Zstandard file.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether a frame is being read.
    begun: bool,
}

fn new_decoder() -> FrameDecoder {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW_SIZE_MAX);
    decoder
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if !self.begun {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.decoder.init(&mut self.source).map_err(damaged)?;
                self.begun = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one_block = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, one_block).map_err(damaged)?;
            }
            let size = self.decoder.read(out)?;
            if size > 0 || out.is_empty() {
                return Ok(size);
            }
            self.check_frame()?;
            self.begun = false;
        }
    }
}

impl<R> Zstd<R> {
    /// Compares the checksum of a frame that has ended, if it carries one.
    fn check_frame(&self) -> std::io::Result<()> {
        let stored = self.decoder.get_checksum_from_data();
        if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
            return Err(Error::other(
                "the checksum of the compressed file is wrong: copy it again",
            ));
        }
        Ok(())
    }
}

/// A file that ends within a frame is told from one that holds something wrong.
fn damaged(fault: FrameDecoderError) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&fault);
    while let Some(inner) = cause {
        if inner.downcast_ref::<Error>().is_some_and(|it| it.kind() == ErrorKind::UnexpectedEof) {
            return ErrorKind::UnexpectedEof.into();
        }
        cause = inner.source();
    }
    Error::other(fault)
}

/// The first bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The first bytes of a Zstandard frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes of the largest window.
const WINDOW_SIZE_MAX: u64 = 1 << 27;

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn read(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("recording");
        std::fs::write(&path, bytes).expect("written");
        let mut out = Vec::new();
        open(&path).expect("opened").read_to_end(&mut out).map(|_| out)
    }

    #[test]
    fn frames_are_read_one_behind_the_other() {
        let long = b"0123456789".repeat(50_000);
        let file = [zstd(&long), zstd(b"the end")].concat();
        assert!(file.starts_with(&ZSTD_MAGIC) && file.len() < long.len());
        assert!(read(&file).expect("sound") == [&long[..], b"the end"].concat());
    }

    #[test]
    fn a_damaged_or_short_frame_is_refused() {
        let file = zstd(&b"0123456789".repeat(50_000));
        let short = read(&file[..file.len() / 2]).expect_err("too short");
        assert_eq!(short.kind(), ErrorKind::UnexpectedEof);
        let mut wrong = file;
        let last = wrong.len() - 1;
        wrong[last] ^= 1;
        let wrong = read(&wrong).expect_err("a wrong checksum").to_string();
        assert!(wrong.contains("copy it again"), "{wrong}");
    }
}
