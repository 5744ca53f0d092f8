//! `Door`: what every request runs on.
//!
//! Holds the port to the shard, the verifier of tokens, the operator's signer, and caches and counters
//! that a restart may lose. One `Door` serves any number of connections.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use port::Port;
use schema::{Command, Key};
use units::{Id, Timestamp};

use crate::admission::Admission;
use crate::arrival::{Machine, ThisMachine};
use crate::catalog::Catalog;
use crate::limits::{ORDER_WAIT_TARGET, ORDERS_IN_FLIGHT_MAX, REQUEST_TIME};
use crate::metrics::Metrics;
use crate::token_cache::TokenVerifier;
use crate::ws::Hub;

/// Signs administrative commands with the operator's key (D-75). The composition root has the key;
/// the door hands over what is to be signed.
pub trait OperatorSigner: Send + Sync + 'static {
    /// The signature over `schema::signed_bytes` of the venue.
    fn sign(&self, key: &Key, valid_until: Timestamp, command: &Command) -> [u8; 64];
}

/// Appends figures in Prometheus text.
pub type MoreMetrics = Box<dyn Fn(&mut String) + Send + Sync>;

/// What a door is opened with.
pub struct Config {
    /// Public key of the tokens (`TokenSigner::public_key`).
    pub token_key: [u8; 32],
    /// Id of the venue: the scope of the operator's keys.
    pub venue_id: Id,
    /// Bound of INV-68: a whole request, and silence on a connection.
    pub request_time: Duration,
    /// Where time and randomness come from.
    pub machine: Arc<dyn Machine>,
    /// Orders that may wait for their result at one time at the most (D-116).
    pub orders_in_flight_max: u64,
    /// How long an order may wait beyond what it takes alone before fewer are let in (D-117).
    pub order_wait_target: Duration,
    /// Appends the figures of other roles of the process to `/metrics`.
    pub more_metrics: Option<MoreMetrics>,
}

impl Config {
    /// The defaults with these two.
    #[must_use]
    pub fn new(token_key: [u8; 32], venue_id: Id) -> Self {
        Self {
            token_key,
            venue_id,
            request_time: REQUEST_TIME,
            machine: Arc::new(ThisMachine),
            orders_in_flight_max: ORDERS_IN_FLIGHT_MAX,
            order_wait_target: ORDER_WAIT_TARGET,
            more_metrics: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("venue_id", &self.venue_id).finish_non_exhaustive()
    }
}

/// The door.
pub struct Door {
    pub(crate) port: Arc<dyn Port>,
    pub(crate) signer: Arc<dyn OperatorSigner>,
    pub(crate) tokens: TokenVerifier,
    pub(crate) config: Config,
    pub(crate) catalog: Catalog,
    pub(crate) metrics: Metrics,
    pub(crate) admission: Admission,
    pub(crate) hub: Arc<Hub>,
    /// Last event that an answer of this door has told of.
    pub(crate) told: AtomicU64,
    /// Last event of a listing that went through this door.
    pub(crate) listed: AtomicU64,
}

impl Door {
    /// A door to the shard behind `port`. `None` when `token_key` is no public key.
    #[must_use]
    pub fn new(
        port: Arc<dyn Port>,
        signer: Arc<dyn OperatorSigner>,
        config: Config,
    ) -> Option<Arc<Self>> {
        let tokens = TokenVerifier::new(&config.token_key)?;
        let admission = Admission::new(config.orders_in_flight_max, config.order_wait_target);
        Some(Arc::new(Self {
            port,
            signer,
            tokens,
            config,
            catalog: Catalog::default(),
            metrics: Metrics::default(),
            admission,
            hub: Arc::default(),
            told: AtomicU64::new(0),
            listed: AtomicU64::new(0),
        }))
    }
}

impl Door {
    /// Exchange time and the machine's randomness, for keys and approvals.
    pub(crate) fn machine(&self) -> &dyn Machine {
        self
    }

    /// The machine's own time, for the ends of tokens.
    pub(crate) fn wall_clock(&self) -> Timestamp {
        self.config.machine.wall_clock()
    }
}

/// The core holds the ends of keys and approvals against its stamps, so they are made by exchange time: a wall clock
/// that has stepped would spoil every cancel, and the operator's own word that it is right (D-119).
impl Machine for Door {
    fn wall_clock(&self) -> Timestamp {
        self.port.exchange_time()
    }

    fn random_id(&self) -> Id {
        self.config.machine.random_id()
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("config", &self.config).finish_non_exhaustive()
    }
}
