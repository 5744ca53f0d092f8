//! Commands that are based on a version of their account (ACCT-8, SEQ-33, D-105).
//!
//! Owns the one check in front of a command's own. It reads the version that the account has when the
//! command's due work is taken, and changes nothing.

use schema::{Code, Refusal, Stamped, Why};

use crate::kernel::party_of;
use crate::{Kernel, Watch};

impl<W: Watch> Kernel<W> {
    /// A command that names no account has no version; an account that is not there is refused later.
    #[cold]
    pub(crate) fn check_version(&self, stamped: &Stamped, version: u64) -> Result<(), Refusal> {
        let none = Refusal::new(Code::InvalidSchema, Why::FieldInvalid);
        let account = party_of(stamped).account.ok_or(none)?;
        let number = self.ledger.number(account);
        match number.and_then(|number| self.ledger.account(number)) {
            Some(account) if account.version != version => {
                Err(Refusal::new(Code::VersionConflict, Why::AccountVersionDiffers))
            }
            _ => Ok(()),
        }
    }
}
