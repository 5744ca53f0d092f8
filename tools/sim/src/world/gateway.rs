//! The gateway of the simulated node, without sockets.
//!
//! Owns a door of the node's life, the tokens of its callers, and the time of its waits: a runtime whose
//! clock stands still and moves with the world's. Its requests are polled like any other future of the
//! world, in the same thread.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use engine::InProcess;
use gateway::{Call, Claims, Config, Door, InPlace, Machine, OperatorSigner, Role, TokenSigner};
use schema::{Command, Key, signed_bytes};
use testkit::rng::SplitMix64;
use tokio::runtime::{Builder, Handle, Runtime};
use units::{Id, Timestamp};

use crate::clock::SimClock;

/// Status and body of an answer.
pub(crate) type HttpAnswer = (u16, Vec<u8>);

/// The gateway's part of the world.
pub(crate) struct Gateway {
    time: Runtime,
    machine: Arc<SimMachine>,
    tokens: TokenSigner,
    venue_id: Id,
    /// The last token of those who were named, and its end.
    minted: BTreeMap<(Vec<Id>, bool), (i64, String)>,
    door: Option<InPlace>,
}

/// The world's clock, and randomness from its seed.
struct SimMachine {
    clock: Arc<SimClock>,
    random: Mutex<SplitMix64>,
}

/// The operator's key, as the node's process has it.
struct Operator {
    key: SigningKey,
    venue_id: Id,
}

impl Gateway {
    pub(crate) fn new(seed: u64, clock: Arc<SimClock>, venue_id: Id) -> Self {
        let random = Mutex::new(SplitMix64::new(seed ^ 0x6A7E));
        let time = Builder::new_current_thread().enable_time().start_paused(true).build();
        Self {
            time: time.expect("a runtime without threads and sockets"),
            machine: Arc::new(SimMachine { clock, random }),
            tokens: TokenSigner::new(&[5; 32]),
            venue_id,
            minted: BTreeMap::new(),
            door: None,
        }
    }

    /// A node is up.
    pub(crate) fn open(&mut self, port: InProcess) {
        let mut config = Config::new(self.tokens.public_key(), self.venue_id);
        config.machine = self.machine.clone();
        // So few that a run comes to the bound.
        config.orders_in_flight_max = ORDERS_IN_FLIGHT_MAX;
        let key = SigningKey::from_bytes(&[7; 32]);
        let signer = Arc::new(Operator { key, venue_id: self.venue_id });
        self.door = Door::new(Arc::new(port), signer, config).map(InPlace::new);
    }

    /// It is gone.
    pub(crate) fn close(&mut self) {
        self.door = None;
    }

    /// Where its futures must be polled.
    pub(crate) fn handle(&self) -> Handle {
        self.time.handle().clone()
    }

    /// Lets time pass for those who wait.
    pub(crate) fn advance(&self, nanos: i64) {
        let nanos = u64::try_from(nanos).unwrap_or(0);
        self.time.block_on(tokio::time::advance(Duration::from_nanos(nanos)));
    }

    /// Hands a request to the door, from someone with these accounts, or from the operator.
    pub(crate) fn call(
        &mut self,
        correlation: Id,
        mut call: Call,
        accounts: Option<Vec<Id>>,
    ) -> Option<Pin<Box<dyn Future<Output = HttpAnswer> + Send>>> {
        let door = self.door.clone()?;
        let token = self.token(accounts);
        call.headers.push(("authorization", format!("Bearer {token}")));
        Some(Box::pin(
            async move { door.answer(correlation, call).await.expect("a request of HTTP") },
        ))
    }

    fn token(&mut self, accounts: Option<Vec<Id>>) -> String {
        let now = self.machine.clock.wall_time().div_euclid(1_000_000_000);
        let role = if accounts.is_some() { Role::Trader } else { Role::Operator };
        let accounts = accounts.unwrap_or_default();
        let named = (accounts.clone(), role == Role::Operator);
        if let Some((end, token)) = self.minted.get(&named)
            && (*end - LIFE..*end).contains(&now)
        {
            return token.clone();
        }
        let user = Id([9; 16]);
        let claims = Claims { user, accounts, role, issued_at: now, expires_at: now + LIFE };
        let token = self.tokens.mint(&claims).expect("it lives no longer than it may");
        self.minted.insert(named, (now + LIFE, token.clone()));
        token
    }
}

impl Machine for SimMachine {
    fn wall_clock(&self) -> Timestamp {
        Timestamp(self.clock.wall_time())
    }

    fn random_id(&self) -> Id {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let (high, low) = (random.next(), random.next());
        Id((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
    }
}

impl OperatorSigner for Operator {
    fn sign(&self, key: &Key, valid_until: Timestamp, command: &Command) -> [u8; 64] {
        self.key.sign(&signed_bytes(self.venue_id, key, valid_until, command)).to_bytes()
    }
}

const ORDERS_IN_FLIGHT_MAX: u64 = 30;
/// Seconds that a token lives.
const LIFE: i64 = 900;
