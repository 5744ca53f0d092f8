//! The door without a connection: a request is handed to its routes whole, and answered whole.
//!
//! Owns nothing but the way in: routes, forms and handlers are those that `serve.rs` serves. It is there
//! for a simulator, which has no socket, names its requests itself and polls the answer when it likes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{self, Request};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tower_service::Service as _;
use units::Id;

use crate::arrival::Arrival;
use crate::door::Door;
use crate::routes::router;

/// The routes of a door, in this process.
#[derive(Clone, Debug)]
pub struct InPlace {
    door: Arc<Door>,
    router: Router,
}

/// A request as a client writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Method, in capitals.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// Headers, by their names.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: String,
}

impl InPlace {
    /// The routes of a door.
    #[must_use]
    pub fn new(door: Arc<Door>) -> Self {
        Self { router: router(door.clone()), door }
    }

    /// The status and the body that a request of this name is answered with. What it waits for is bounded
    /// by the time of the runtime in which it is polled.
    ///
    /// # Errors
    /// It is no request of HTTP.
    pub async fn answer(self, correlation: Id, call: Call) -> Result<(u16, Vec<u8>), http::Error> {
        let request = Request::builder().method(call.method).uri(call.target);
        let with = |request: http::request::Builder, (name, value)| request.header(name, value);
        let request = call.headers.into_iter().fold(request, with);
        let mut request = request.body(Body::from(call.body))?;
        let peer = IpAddr::from([127, 0, 0, 1]);
        let deadline = Instant::now() + self.door.config.request_time;
        request.extensions_mut().insert(Arrival::new(correlation, peer, deadline));
        let mut router = self.router;
        let Ok(response) = router.call(request).await;
        let status = response.status().as_u16();
        self.door.metrics.on_response(status);
        // Bodies are made whole; one that breaks off is not there.
        let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
        Ok((status, body.unwrap_or_default().to_vec()))
    }
}
