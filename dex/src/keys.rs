//! The keys of a venue: the operator's, which signs administrative commands, and the tokens'.
//!
//! Made on first start, kept under `keys/` as 64 hexadecimal digits that only their owner can read.
//! Invariant: the operator's key is made only for an empty log; for one that has a genesis a missing key
//! is an error, since a new one could not sign for it. The venue's id follows from the operator's key.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ed25519_dalek::{Signer as _, SigningKey};
use gateway::{OperatorSigner, TokenSigner};
use schema::{Command, Key, signed_bytes};
use sha2::{Digest as _, Sha256};
use units::{Id, Timestamp};

/// The operator's key, and the venue that it is the key of.
pub(crate) struct OperatorKey {
    key: SigningKey,
}

/// Whether a key may be made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Make it.
    Make,
    /// Say so.
    Refuse,
}

impl OperatorKey {
    /// The operator's key of a `keys` folder.
    ///
    /// # Errors
    /// It cannot be read or written, or is missing and must not be.
    pub(crate) fn load(keys: &Path, missing: Missing) -> anyhow::Result<Self> {
        let secret = load(&keys.join("operator.key"), missing)?;
        Ok(Self { key: SigningKey::from_bytes(&secret) })
    }

    /// Its public half.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Id of the venue: a UUID of version 8 from the hash of the public key.
    pub(crate) fn venue_id(&self) -> Id {
        let hash: [u8; 32] = Sha256::digest(self.public_key()).into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Id(bytes)
    }
}

impl OperatorSigner for OperatorKey {
    fn sign(&self, key: &Key, valid_until: Timestamp, command: &Command) -> [u8; 64] {
        let bytes = signed_bytes(self.venue_id(), key, valid_until, command);
        self.key.sign(&bytes).to_bytes()
    }
}

/// The key of access tokens. One that is missing is made: tokens live for minutes, so nothing is lost.
///
/// # Errors
/// It cannot be read or written.
pub(crate) fn token_signer(keys: &Path, missing: Missing) -> anyhow::Result<TokenSigner> {
    load(&keys.join("token.key"), missing).map(|secret| TokenSigner::new(&secret))
}

fn load(path: &Path, missing: Missing) -> anyhow::Result<[u8; 32]> {
    match fs::read_to_string(path) {
        Ok(text) => parse(text.trim_end()).with_context(|| {
            format!("{} is no key of 64 hexadecimal digits: restore it", path.display())
        }),
        Err(fault) if fault.kind() == ErrorKind::NotFound => match missing {
            Missing::Make => make(path),
            Missing::Refuse => bail!(
                "{} is missing: restore it from a backup, or name another data folder with --data",
                path.display()
            ),
        },
        Err(fault) => Err(fault).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Written under another name first, so that a key is always whole.
fn make(path: &Path) -> anyhow::Result<[u8; 32]> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).context("the operating system gives no randomness")?;
    let mut text = String::with_capacity(65);
    for byte in secret {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    let new: PathBuf = path.with_extension("new");
    let write = || {
        let mut file = private(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(secret)
}

/// A new file that only its owner can read.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn parse(text: &str) -> anyhow::Result<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        bail!("it has {} characters", bytes.len());
    }
    let mut secret = [0; 32];
    for (byte, digits) in secret.iter_mut().zip(bytes.chunks_exact(2)) {
        let digits = std::str::from_utf8(digits)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            bail!("it has other characters");
        }
        *byte = u8::from_str_radix(digits, 16)?;
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(OperatorKey::load(folder.path(), Missing::Refuse).is_err());
        let made = OperatorKey::load(folder.path(), Missing::Make).expect("made");
        let read = OperatorKey::load(folder.path(), Missing::Refuse).expect("read");
        assert_eq!(made.public_key(), read.public_key());
        assert_eq!(made.venue_id(), read.venue_id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = folder.path().join("operator.key");
            let mode = fs::metadata(file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        for bad in ["", "00", &"zz".repeat(32), &"0".repeat(65), &"+1".repeat(32)] {
            fs::write(folder.path().join("token.key"), bad).expect("written");
            assert!(token_signer(folder.path(), Missing::Make).is_err(), "{bad}");
        }
    }
}
