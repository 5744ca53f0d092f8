//! Bodies of requests: bounded in size and time, JSON in UTF-8, every field known.

use std::sync::Arc;

use axum::BoxError;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use schema::Code;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::arrival::Arrival;
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::BODY_SIZE_MAX;

/// A whole body.
#[derive(Debug)]
pub(crate) struct Payload(Bytes);

impl Payload {
    /// The body as the JSON of `T`. Unknown, doubled and missing fields and a number where a text
    /// stands are refused (LIFE-6, D-8).
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ApiError> {
        parse_json(&self.0)
    }
}

/// JSON from a client.
pub(crate) fn parse_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ApiError> {
    // A list would fill the fields by their place; a form is an object with names (LIFE-6).
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(ApiError::schema("not a JSON object"));
    }
    serde_json::from_slice(bytes).map_err(|fault| ApiError::schema(fault.to_string()))
}

impl FromRequest<Arc<Door>> for Payload {
    type Rejection = ApiError;

    async fn from_request(request: Request, door: &Arc<Door>) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let arrival = Arrival::from_request_parts(&mut parts, door).await?;
        let announced = parts.headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|size| size > BODY_SIZE_MAX as u64) {
            return Err(too_large());
        }
        read_whole(body, arrival.deadline).await.map(Self)
    }
}

/// A body to its end, if it comes in time and is not too large.
pub(crate) async fn read_whole<B>(body: B, deadline: Instant) -> Result<Bytes, ApiError>
where
    B: axum::body::HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    match timeout_at(deadline, Limited::new(body, BODY_SIZE_MAX).collect()).await {
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            Code::InvalidSchema,
            "the request was not complete in time",
        )),
        Ok(Err(fault)) if fault.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::schema("the body could not be read")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Code::InvalidSchema,
        "the body is larger than 1 MiB",
    )
}
