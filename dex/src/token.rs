//! `dex token`: access tokens, signed by the key in the data folder.
//!
//! Stands in for the identity service until there is one. Whoever can read the key can make a token for
//! any account, which is why only its owner can. Works while the exchange runs.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use gateway::limits::TOKEN_LIFE_MAX_SECONDS;
use gateway::{Claims, Role, TokenSigner, random_id};
use units::Id;

use crate::keys::{Missing, token_signer};
use crate::settings::{Flags, Settings, Source};

/// Make an access token for a trader or an operator.
///
/// The token is printed alone on one line, for `Authorization: Bearer TOKEN`. It lives at most 900 s.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    TOKEN=$(dex token --account 0190c2a0-0000-7000-8000-000000000042)\n  \
    curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/v1/orders/ID\n  \
    dex token --role operator --ttl 60")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Account of the trader; repeat it for a user with several.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// Who the token is for.
    #[arg(long, value_enum, default_value_t = RoleName::Trader)]
    role: RoleName,
    /// Life in seconds, 1 to 900.
    #[arg(long, value_name = "SECONDS", default_value_t = TOKEN_LIFE_MAX_SECONDS)]
    ttl: i64,
    /// Id of the user, for the record [default: the first account, or a random id]
    #[arg(long, value_name = "ID")]
    user: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum RoleName {
    /// Trades with their own accounts.
    Trader,
    /// Lists, opens and funds.
    Operator,
}

/// Prints a token.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let settings = Settings::load(&args.source, &Flags::default())?;
    let accounts = args.accounts.iter().map(|text| id(text)).collect::<Result<Vec<_>, _>>()?;
    let role = match args.role {
        RoleName::Trader => Role::Trader,
        RoleName::Operator => Role::Operator,
    };
    if role == Role::Trader && accounts.is_empty() {
        bail!("a trader's token needs an account: add --account ID");
    }
    let user = match &args.user {
        Some(text) => id(text)?,
        None => accounts.first().copied().unwrap_or_else(random_id),
    };
    let signer = token_signer(&settings.data_dir.join("keys"), Missing::Refuse)
        .context("there is no exchange in this data folder; `dex run` makes one")?;
    println!("{}", mint(&signer, (user, accounts), role, args.ttl)?);
    Ok(())
}

/// A token from now on.
///
/// # Errors
/// The life is not 1 to 900 s.
pub(crate) fn mint(
    signer: &TokenSigner,
    (user, accounts): (Id, Vec<Id>),
    role: Role,
    life_seconds: i64,
) -> anyhow::Result<String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let issued_at = i64::try_from(since.as_secs())?;
    let expires_at = issued_at.saturating_add(life_seconds);
    let claims = Claims { user, accounts, role, issued_at, expires_at };
    signer.mint(&claims).with_context(|| {
        format!("a token lives 1 to {TOKEN_LIFE_MAX_SECONDS} seconds: choose --ttl in between")
    })
}

fn id(text: &str) -> anyhow::Result<Id> {
    text.parse().map_err(|_| anyhow::anyhow!("{text} is no UUID of 36 characters in lower case"))
}
