//! A connection to the door with tokens that are renewed before they end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::bail;
use gateway::limits::TOKEN_LIFE_MAX_SECONDS;
use gateway::{Role, TokenSigner, random_id};
use hyper::{Method, StatusCode};
use serde_json::Value;
use units::Id;

use crate::client::{Answer, Client};
use crate::token::mint;

/// A client of the door in two roles.
pub(super) struct Session<'a> {
    client: Client,
    signer: &'a TokenSigner,
    operator: Renewed,
    traders: Renewed,
}

/// A token that is made again when it is old.
struct Renewed {
    role: Role,
    user: Id,
    accounts: Vec<Id>,
    token: Option<(String, Instant)>,
}

impl Renewed {
    fn new(role: Role) -> Self {
        Self { role, user: random_id(), accounts: Vec::new(), token: None }
    }

    fn token(&mut self, signer: &TokenSigner) -> anyhow::Result<String> {
        if let Some((token, made)) = &self.token
            && made.elapsed() < RENEWAL
        {
            return Ok(token.clone());
        }
        let who = (self.user, self.accounts.clone());
        let token = mint(signer, who, self.role, TOKEN_LIFE_MAX_SECONDS)?;
        self.token = Some((token.clone(), Instant::now()));
        Ok(token)
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(address: SocketAddr, signer: &'a TokenSigner) -> Self {
        Self {
            client: Client::new(address),
            signer,
            operator: Renewed::new(Role::Operator),
            traders: Renewed::new(Role::Trader),
        }
    }

    /// From here on trades for these accounts.
    pub(super) fn trade_for(&mut self, accounts: Vec<Id>) {
        self.traders = Renewed { accounts, ..Renewed::new(Role::Trader) };
    }

    /// Asks as an operator.
    pub(super) async fn operate(
        &mut self,
        request: (Method, &str),
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let token = self.operator.token(self.signer)?;
        self.call(request, &token, body).await
    }

    /// Asks as the traders.
    pub(super) async fn trade(
        &mut self,
        request: (Method, &str),
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let token = self.traders.token(self.signer)?;
        self.call(request, &token, body).await
    }

    /// A door that is busy is asked again for a while.
    async fn call(
        &mut self,
        (method, path): (Method, &str),
        token: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        for _ in 0..ATTEMPT_COUNT_MAX {
            let answer = self.client.call((method.clone(), path), Some(token), body).await?;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                return Ok(answer);
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the exchange takes no requests: {method} {path} got 503 again and again")
    }
}

/// Age at which a token is made again; it would live 300 s longer.
const RENEWAL: Duration = Duration::from_secs(600);
/// How often a busy door is asked.
const ATTEMPT_COUNT_MAX: u32 = 20;
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
