//! `/v1/ws`: books and trades as they change (SVC-58 to SVC-65).
//!
//! One task reads the shard's feed, writes each change once as text and hands it to the connections
//! that asked for it (`hub.rs`); each connection has a bounded queue and a task of its own
//! (`stream.rs`). Invariants: a subscriber gets a whole book first and then every change once, in order,
//! each naming the one before (SVC-61); a reader who falls behind is told so and dropped, and slows
//! nobody else. Public data only.

mod frame;
mod hub;
mod render;
mod stream;

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::StatusCode;
use axum::response::Response;
use schema::Code;

pub(crate) use frame::parse_frame;
pub(crate) use hub::{Ending, Hub, pump};

use crate::arrival::Arrival;
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::{FRAME_SIZE_MAX, STREAM_COUNT_MAX};

/// GET /v1/ws.
pub(crate) async fn connect(
    State(door): State<Arc<Door>>,
    arrival: Arrival,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| {
        ApiError::new(
            StatusCode::UPGRADE_REQUIRED,
            Code::InvalidSchema,
            "this is a WebSocket: connect with `Upgrade: websocket`, version 13",
        )
    })?;
    let seat = door.hub.take_seat(arrival.peer).ok_or_else(|| {
        ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            Code::RateLimited,
            format!("an address has at most {STREAM_COUNT_MAX} WebSocket connections"),
        )
    })?;
    let upgrade = upgrade.max_message_size(FRAME_SIZE_MAX).max_frame_size(FRAME_SIZE_MAX);
    Ok(upgrade.on_upgrade(move |socket| stream::run(door, socket, seat)))
}
