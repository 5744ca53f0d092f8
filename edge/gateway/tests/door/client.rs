//! A served door, and a client that speaks to it in whole requests or in raw bytes.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use gateway::{Claims, Config, Door, OperatorSigner, Role, TokenSigner, serve};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use schema::{Command, Key};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;
use units::{Id, Timestamp};

use crate::document::{Document, Exchange};
use crate::fake::FakePort;

/// The account of the user who asks.
pub(crate) const MINE: Id = Id([0x11; 16]);
/// Another's account.
pub(crate) const OTHERS: Id = Id([0x22; 16]);
/// The venue.
pub(crate) const VENUE: Id = Id([5; 16]);

/// The document of every door, asked for once.
static DOCUMENT: OnceCell<Document> = OnceCell::const_new();

/// A running door.
pub(crate) struct Served {
    /// What stands behind it.
    pub(crate) port: Arc<FakePort>,
    /// Where it listens.
    pub(crate) address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: axum::http::HeaderMap,
    /// Its body.
    pub(crate) text: String,
}

/// Signs with the first bytes of the key, so that a test sees what was signed.
struct FakeSigner;

impl OperatorSigner for FakeSigner {
    fn sign(&self, key: &Key, _: Timestamp, _: &Command) -> [u8; 64] {
        let mut signature = [7; 64];
        signature[..16].copy_from_slice(&key.key_hash);
        signature
    }
}

impl Served {
    /// A door with the limits of the specification.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A door with some limits changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let port = Arc::new(FakePort::default());
        let mut config = Config::new(signer().public_key(), VENUE);
        change(&mut config);
        let door = Door::new(port.clone(), Arc::new(FakeSigner), config).expect("a key");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(serve(door, listener, stopped));
        Self { port, address, stop, task }
    }

    /// Ends the door and waits for its end.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.expect("no panic").expect("it listened");
    }

    /// A request without credentials.
    pub(crate) async fn anonymous(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[], body).await
    }

    /// A request of the owner of `MINE`.
    pub(crate) async fn trader(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[("authorization", &bearer(&trader()))], body).await
    }

    /// A request of an operator.
    pub(crate) async fn operator(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[("authorization", &bearer(&operator()))], body).await
    }

    /// A request with these headers. It and its answer must be what the OpenAPI document says.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let answer = self.ask((method, path), headers, body).await;
        let document = DOCUMENT.get_or_init(async || {
            Document(self.ask(("get", "/openapi.json"), &[], "").await.json())
        });
        let status = answer.status.as_u16();
        let exchange = Exchange { asked: (method, path), body, status, answer: &answer.text };
        if let Err(fault) = document.await.check(exchange) {
            panic!("{method} {path} {status}: {fault}\n{}", answer.text);
        }
        answer
    }

    async fn ask(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(path)
            .header("host", "test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let response = sender.send_request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        connection.abort();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status: parts.status, headers: parts.headers, text }
    }
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|fault| panic!("{fault}: {}", self.text))
    }

    /// Status and error code.
    pub(crate) fn fault(&self) -> (u16, String) {
        let code = self.json()["error"]["code"].as_str().expect("an error").to_owned();
        (self.status.as_u16(), code)
    }
}

/// The key of all tokens.
pub(crate) fn signer() -> TokenSigner {
    TokenSigner::new(&[9; 32])
}

/// This machine's time in seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).expect("before the year 292277026596")
}

/// What the owner of `MINE` shows.
pub(crate) fn trader() -> Claims {
    claims(Role::Trader, vec![MINE])
}

/// What an operator shows.
pub(crate) fn operator() -> Claims {
    claims(Role::Operator, vec![])
}

/// A token that lives now.
pub(crate) fn claims(role: Role, accounts: Vec<Id>) -> Claims {
    Claims { user: Id([0x33; 16]), accounts, role, issued_at: now() - 1, expires_at: now() + 600 }
}

/// The header of these claims.
pub(crate) fn bearer(claims: &Claims) -> String {
    format!("Bearer {}", signer().mint(claims).expect("a short life"))
}
