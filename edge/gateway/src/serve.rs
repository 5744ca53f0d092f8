//! Listening: connections in, requests to the router, a graceful end.
//!
//! Owns the bounds of a connection (INV-68): idle or with unfinished headers for 30 s, or with a reader
//! who takes nothing for 30 s, it is closed. At a stop no new connection is taken, requests in flight
//! are answered, and what is left after `DRAIN_TIME` is cut.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use port::PortFault;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service as _;

use crate::arrival::Arrival;
use crate::body::read_whole;
use crate::connection::{Connection, RequestClock};
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::{CONNECTION_COUNT_MAX, DRAIN_TIME};
use crate::routes::router;
use crate::ws::pump;

/// Answers on `listener` until `stop` is over, then drains.
///
/// # Errors
/// The listener's address cannot be read; nothing was served.
pub async fn serve(
    door: Arc<Door>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.local_addr()?;
    let router = router(door.clone());
    let (stopping, stopped) = watch::channel(false);
    let (open, mut opened) = watch::channel(false);
    let pump = tokio::spawn(pump(door.clone(), open));
    // Whoever subscribes finds a feed; if the task ended, there is none to wait for.
    let _ = opened.wait_for(|&open| open).await;
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&door, &router, &listener, (&mut connections, stopped)) => {}
        () = stop => {}
    }
    drop(listener);
    stopping.send_replace(true);
    pump.abort();
    door.hub.end_all(crate::ws::Ending::Stop);
    let drained = timeout(DRAIN_TIME, async {
        while connections.join_next().await.is_some() {}
        while door.metrics.streams.value() > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    });
    if drained.await.is_err() {
        tracing::warn!(count = connections.len(), "cut connections that did not drain");
        connections.shutdown().await;
    }
    Ok(())
}

async fn accept(
    door: &Arc<Door>,
    router: &Router,
    listener: &TcpListener,
    (connections, stopped): (&mut JoinSet<()>, watch::Receiver<bool>),
) {
    let places = Arc::new(Semaphore::new(CONNECTION_COUNT_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(fault) => {
                // Out of files, mostly: others must end before another can begin.
                tracing::warn!(%fault, "cannot take a connection");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let (door, router, stopped) = (door.clone(), router.clone(), stopped.clone());
        connections.spawn(async move {
            let _open = door.metrics.connections.count();
            converse(&door, &router, (stream, peer.ip().to_canonical()), stopped).await;
            drop(place);
        });
    }
}

/// One connection, request by request.
async fn converse(
    door: &Arc<Door>,
    router: &Router,
    (stream, peer): (TcpStream, IpAddr),
    mut stopped: watch::Receiver<bool>,
) {
    let request_time = door.config.request_time;
    let _ = stream.set_nodelay(true);
    let clock = RequestClock::default();
    let io = TokioIo::new(Connection::new(stream, clock.clone(), request_time));
    let service = service_fn(|request: Request<Incoming>| {
        let arrival = Arrival::new(door.machine().random_id(), peer, clock.began() + request_time);
        answer(door, router.clone(), (request, arrival), clock.clone())
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(request_time)
        .serve_connection(io, service)
        .with_upgrades();
    tokio::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        _ = stopped.wait_for(|&stopped| stopped) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = serving.await;
}

async fn answer(
    door: &Door,
    mut router: Router,
    (mut request, arrival): (Request<Incoming>, Arrival),
    clock: RequestClock,
) -> Result<Response<Body>, Infallible> {
    let mut response = if is_order(&request) && door.admission.refuses() {
        refuse_order(request, arrival).await
    } else {
        request.extensions_mut().insert(arrival);
        router.call(request).await?
    };
    clock.reset();
    door.metrics.on_response(response.status().as_u16());
    if let Ok(id) = HeaderValue::try_from(arrival.correlation.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    Ok(response)
}

/// Whether a request places one order. A batch is not told by its head: its items are refused one by one.
fn is_order(request: &Request<Incoming>) -> bool {
    request.method() == Method::POST && request.uri().path() == "/v1/orders"
}

/// Refuses an order by its head alone (D-117): no token is verified, nothing is read of the body but its end,
/// without which the connection could not go on.
async fn refuse_order(request: Request<Incoming>, arrival: Arrival) -> Response<Body> {
    match read_whole(request.into_body(), arrival.deadline).await {
        Ok(_) => ApiError::from(PortFault::Busy).into_response(),
        Err(fault) => fault.into_response(),
    }
}
