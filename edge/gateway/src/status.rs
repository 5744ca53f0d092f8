//! GET /health and GET /metrics (SVC-6, SVC-7).
//!
//! Health is for everyone. Figures are for monitoring: a process on the same machine may read them, and
//! from elsewhere, or through a proxy, an operator (INV-11).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use port::{HealthStatus, HealthView, Query, View};

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::caller::{Caller, Operator};
use crate::door::Door;
use crate::error::ApiError;
use crate::metrics::write_figure;

/// Someone who may read figures.
pub(crate) struct Monitor;

impl FromRequestParts<Arc<Door>> for Monitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, ApiError> {
        let arrival = Arrival::from_request_parts(parts, door).await?;
        let forwarded = [header::FORWARDED.as_str(), header::VIA.as_str(), "x-forwarded-for"];
        let direct = forwarded.iter().all(|name| !parts.headers.contains_key(*name));
        if direct
            && arrival.peer.is_loopback()
            && !parts.headers.contains_key(header::AUTHORIZATION)
        {
            return Ok(Self);
        }
        Caller::of(parts, door)?;
        Operator::from_request_parts(parts, door).await.map(|_| Self)
    }
}

/// GET /health: how the shard is, in one word and in figures.
pub(crate) async fn health(State(door): State<Arc<Door>>) -> Response {
    match door.query_now(Query::Health).await.map(|seen| seen.view) {
        Ok(View::Health(health)) => {
            let status = match health.status {
                HealthStatus::Healthy | HealthStatus::Degraded => StatusCode::OK,
                HealthStatus::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
            };
            json(status, health_object(&health))
        }
        _ => {
            let body = Object::new().text("status", HealthStatus::Unhealthy.name());
            json(StatusCode::SERVICE_UNAVAILABLE, body)
        }
    }
}

/// GET /metrics: figures of the door, of the shard's view, and of what else runs here.
pub(crate) async fn metrics(State(door): State<Arc<Door>>, _: Monitor) -> Response {
    let mut out = String::with_capacity(4_096);
    door.metrics.write(&mut out);
    if let Ok(View::Health(health)) = door.query_now(Query::Health).await.map(|seen| seen.view) {
        write_shard(&mut out, &health);
    }
    if let Some(more) = &door.config.more_metrics {
        more(&mut out);
    }
    let mut response = out.into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The largest failure that takes nothing that was acknowledged (REC-23).
fn survives(durability: &str) -> &'static str {
    match durability {
        "local" => "PROCESS_CRASH",
        "quorum" => "ZONE",
        "region" => "REGION",
        _ => "NONE",
    }
}

fn health_object(health: &HealthView) -> Object {
    let mut body = Object::new()
        .text("status", health.status.name())
        .shown("venue_id", health.venue_id)
        .count("shard", health.shard)
        .text("durability", health.durability)
        .text("survives", survives(health.durability))
        .count("command_sequence", health.command_sequence)
        .count("event_sequence", health.event_sequence)
        .count("view_sequence", health.view_sequence);
    if let Some((sequence, hash)) = health.state_hash {
        let mut text = String::with_capacity(64);
        for byte in hash {
            let _ = write!(text, "{byte:02x}");
        }
        let hash = Object::new().count("sequence", sequence).text("sha256", &text);
        body = body.object("state_hash", hash);
    }
    body
}

fn write_shard(out: &mut String, health: &HealthView) {
    let figures = [
        ("dex_command_sequence", "Last durable command.", health.command_sequence),
        ("dex_event_sequence", "Last event that may be told.", health.event_sequence),
        ("dex_view_sequence", "Last event of the view.", health.view_sequence),
        (
            "dex_view_lag_events",
            "Events that the view is behind.",
            health.event_sequence.saturating_sub(health.view_sequence),
        ),
        ("dex_up", "1 unless the shard is stopped.", {
            u64::from(health.status != HealthStatus::Unhealthy)
        }),
    ];
    for (name, help, value) in figures {
        write_figure(out, (name, help), "core", ("gauge", value));
    }
}
