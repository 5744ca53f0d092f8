//! One connection to a running exchange, with the tokens of everybody who acts through it.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use gateway::limits::TOKEN_LIFE_MAX_SECONDS;
use gateway::{Role, TokenSigner, random_id};
use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::runtime::Runtime;
use units::Id;

use crate::client::{Answer, Client};
use crate::keys::{Missing, token_signer};
use crate::token::mint;

/// A blocking client of the door: one request in flight.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    signer: TokenSigner,
    /// Tokens by account, the operator's under none, with the time at which each was made.
    tokens: HashMap<Option<Id>, (String, Instant)>,
}

impl Session {
    /// A session with the exchange at `url` whose keys lie in `data_dir`.
    ///
    /// # Errors
    /// The address or the keys are wrong.
    pub(crate) fn new(url: &str, data_dir: &Path) -> anyhow::Result<Self> {
        let signer = token_signer(&data_dir.join("keys"), Missing::Refuse)
            .context("--data must name the data folder of the exchange behind --url")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = Client::new(address_of(url)?);
        Ok(Self { runtime, client, signer, tokens: HashMap::new() })
    }

    /// Asks as an operator.
    ///
    /// # Errors
    /// There is no answer.
    pub(crate) fn operate(
        &mut self,
        request: (Method, &str),
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        self.call(None, request, body)
    }

    /// Asks for an account.
    ///
    /// # Errors
    /// There is no answer.
    pub(crate) fn trade(
        &mut self,
        account: Id,
        request: (Method, &str),
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        self.call(Some(account), request, body)
    }

    /// A door that takes no requests for the moment is asked again for a while.
    fn call(
        &mut self,
        account: Option<Id>,
        (method, path): (Method, &str),
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let token = self.token(account)?;
        let Self { runtime, client, .. } = self;
        runtime.block_on(async {
            for _ in 0..ATTEMPT_COUNT_MAX {
                let answer = client.call((method.clone(), path), Some(&token), body).await?;
                let is_busy = matches!(
                    answer.status,
                    StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
                );
                // What was not taken may be sent again; of what may have run a repeat would run twice.
                if !is_busy || answer.code().is_some_and(|code| code == "TIMED_OUT") {
                    return Ok(answer);
                }
                tokio::time::sleep(PAUSE).await;
            }
            bail!("the exchange takes no requests: {method} {path} was refused again and again")
        })
    }

    fn token(&mut self, account: Option<Id>) -> anyhow::Result<String> {
        if let Some((token, made)) = self.tokens.get(&account)
            && made.elapsed() < RENEWAL
        {
            return Ok(token.clone());
        }
        let (who, role) = match account {
            Some(account) => ((account, vec![account]), Role::Trader),
            None => ((random_id(), Vec::new()), Role::Operator),
        };
        let token = mint(&self.signer, who, role, TOKEN_LIFE_MAX_SECONDS)?;
        self.tokens.insert(account, (token.clone(), Instant::now()));
        Ok(token)
    }
}

/// What a refusal says.
pub(crate) fn refusal(answer: &Answer) -> String {
    let message = answer.body["error"]["message"].as_str();
    match (answer.code(), message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => format!("{} {}", answer.status, answer.body),
    }
}

/// `http://HOST:PORT` as an address.
fn address_of(url: &str) -> anyhow::Result<SocketAddr> {
    let wrong = || format!("{url} is no address of an exchange: write http://HOST:PORT");
    let host = url.strip_prefix("http://").with_context(wrong)?;
    let host = host.strip_suffix('/').unwrap_or(host);
    let mut addresses = host.to_socket_addrs().with_context(wrong)?;
    addresses.next().with_context(wrong)
}

/// Age at which a token is made again; it would live 300 s longer.
const RENEWAL: Duration = Duration::from_secs(600);
/// How often a busy door is asked.
const ATTEMPT_COUNT_MAX: u32 = 40;
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_other_texts() {
        let local = SocketAddr::from(([127, 0, 0, 1], 8080));
        for url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
            assert_eq!(address_of(url).expect("an address"), local);
        }
        for url in ["", "127.0.0.1:8080", "https://127.0.0.1:8080", "http://127.0.0.1", "http://:x"]
        {
            let fault = format!("{:#}", address_of(url).expect_err(url));
            assert!(fault.contains("write http://HOST:PORT"), "{fault}");
        }
    }
}
