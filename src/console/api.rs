//! The HTTP interface (docs/API.md): the site, the stream, histories, commands, health and metrics.

use super::access::{self, Access};
use super::assets;
use super::commands;
use super::explain::lines;
use super::questions::Question;
use super::site::{Site, VenueName};
use super::view::{Frame, LiveView};
use crate::telemetry::Telemetry;
use crate::time::EventTime;
use crate::venue::World;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt};
use utoipa::{OpenApi, ToSchema};

/// Pictures are thinned to one per this long of wall time.
const BETWEEN_PICTURES: Duration = Duration::from_millis(250);

/// A shard without work answers with its next tick, within a second.
const TO_EXPLAIN: Duration = Duration::from_secs(3);

/// Where the console's commands go: the topic `midan.commands`.
pub trait CommandSink: Send + Sync {
    /// Writes a command of `venue`.
    ///
    /// # Errors
    /// When the log does not take it; the text says why.
    fn send(&self, venue: &str, value: Vec<u8>) -> Result<(), String>;
}

/// How the service runs, for the console.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// When it was started, epoch ms.
    pub started: i64,
    /// Shards of this process.
    pub shards: usize,
    /// `live` or `demo`.
    pub mode: &'static str,
    /// Event time per wall time in a demonstration.
    pub speed: Option<f64>,
}

/// What the interface serves.
pub struct Service {
    /// The static world.
    pub world: Arc<World>,
    /// The live view.
    pub view: Arc<LiveView>,
    /// Where commands go.
    pub commands: Box<dyn CommandSink>,
    /// How the service runs.
    pub status: Status,
    /// Metrics.
    pub telemetry: Arc<Telemetry>,
    /// Whether partitions are restored and polled.
    pub ready: Arc<AtomicBool>,
    /// The token that callers must show, if any.
    pub token: Option<String>,
}

struct Shared {
    service: Service,
    command_no: AtomicU64,
}

#[derive(OpenApi)]
#[openapi(
    paths(venues, site, stream, history, explain, command, status),
    components(schemas(CommandRequest, SwapRequest, Accepted, Refused, Status)),
    info(title = "Midan", description = "The console's interface; docs/API.md says what the pieces mean.")
)]
struct Document;

/// An operator's command.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CommandRequest {
    /// The venue's id.
    pub(super) venue: String,
    /// The operator's account id.
    pub(super) operator: String,
    /// `ack`, `unack`, `shelve`, `unshelve`, `suppress`, `out_of_service`, `return`, `escalate`, `comment`, `recount` or `swap_model`.
    pub(super) action: String,
    /// The alarm, for all but `recount` and `swap_model`.
    pub(super) alarm_id: Option<String>,
    /// Until when, epoch ms, for `shelve`.
    pub(super) until: Option<i64>,
    /// Why; compulsory for `shelve`, `suppress` and `out_of_service`.
    pub(super) reason: Option<String>,
    /// The zone, for `recount`.
    pub(super) zone: Option<String>,
    /// Persons in it, for `recount`.
    pub(super) persons: Option<u32>,
    /// The model, for `swap_model`.
    #[serde(flatten)]
    pub(super) swap: SwapRequest,
}

/// The model that is to speak, for `swap_model`.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub(super) struct SwapRequest {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// SHA-256 of its file, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// `flow`, which it is where nothing is said, or `anomaly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    /// It speaks from the first pane on that ends after this time, epoch ms; now where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Accepted {
    command_id: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Refused {
    /// What is wrong and what to do.
    error: String,
}

#[derive(Deserialize)]
struct HistoryQuery {
    minutes: Option<usize>,
}

/// The command as `midan.commands` has it (FORMATS.md).
#[derive(Serialize)]
struct CommandRecord<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    command_id: &'a str,
    venue: &'a str,
    operator: &'a str,
    at: i64,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persons: Option<u32>,
    #[serde(flatten)]
    swap: &'a SwapRequest,
}

/// Serves until `stop` turns true; gives the bound address back through `bound` as soon as it listens.
///
/// # Errors
/// When the address cannot be bound, or is not the loopback while no token is configured.
pub async fn serve(service: Service, address: SocketAddr, bound: impl FnOnce(SocketAddr), mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    if service.token.as_deref().is_some_and(|token| token.trim().is_empty()) {
        anyhow::bail!("console.token is empty: give it a secret of your own, or leave it out and listen on the loopback address");
    }
    if service.token.is_none() && !address.ip().is_loopback() {
        anyhow::bail!(
            "console.listen = {address}: without console.token the console listens on the loopback address only; set a token, or listen on 127.0.0.1"
        );
    }
    let listener = TcpListener::bind(address).await.map_err(|why| anyhow::anyhow!("console.listen = {address}: {why}; choose another port with --port"))?;
    bound(listener.local_addr()?);
    let stopped = async move {
        // The sender is gone when the service is: either way it is over.
        let _ = stop.wait_for(|stopped| *stopped).await;
    };
    axum::serve(listener, router(service)).with_graceful_shutdown(stopped).await?;
    Ok(())
}

fn router(service: Service) -> Router {
    let access = Access::new(service.token.clone());
    let shared = Arc::new(Shared { service, command_no: AtomicU64::new(0) });
    let api = Router::new()
        .route("/api/v1/venues", get(venues))
        .route("/api/v1/venues/{venue}", get(site))
        .route("/api/v1/venues/{venue}/stream", get(stream))
        .route("/api/v1/venues/{venue}/places/{place}/history", get(history))
        .route("/api/v1/venues/{venue}/explain", get(explain))
        .route("/api/v1/commands", post(command))
        .route("/api/v1/status", get(status))
        .layer(middleware::from_fn_with_state(access, access::guard));
    let open = Router::new()
        .route("/api/openapi.json", get(|| async { Json(Document::openapi()) }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    api.merge(open).fallback(assets::serve).layer(tower_http::limit::RequestBodyLimitLayer::new(64 * 1024)).with_state(shared)
}

/// The venues.
#[utoipa::path(get, path = "/api/v1/venues", responses((status = 200, description = "the venues", body = [VenueName<'_>])))]
async fn venues(State(shared): State<Arc<Shared>>) -> Response {
    let names: Vec<VenueName<'_>> = shared.service.world.venues.iter().map(VenueName::of).collect();
    Json(names).into_response()
}

/// A venue's static site.
#[utoipa::path(get, path = "/api/v1/venues/{venue}", params(("venue" = String, Path)), responses((status = 200, description = "the site", body = Site<'_>), (status = 404, body = Refused)))]
async fn site(State(shared): State<Arc<Shared>>, Path(venue): Path<String>) -> Response {
    match shared.service.world.find(&venue) {
        Some(id) => {
            let (venue, now) = (shared.service.world.venue(id), EventTime::from_millis(shared.service.view.now()));
            Json(Site::of(venue.version(venue.version_at(now)))).into_response()
        }
        None => unknown_venue(&shared, &venue),
    }
}

/// The minutes of a place.
#[derive(Serialize, ToSchema)]
struct History {
    place: String,
    /// Oldest first.
    points: Vec<super::place::Point>,
}

/// The live stream: events `picture` and `alarms`.
#[utoipa::path(get, path = "/api/v1/venues/{venue}/stream", params(("venue" = String, Path)), responses((status = 200, description = "server-sent events; docs/API.md tells `picture` and `alarms`", body = String, content_type = "text/event-stream"), (status = 404, body = Refused)))]
async fn stream(State(shared): State<Arc<Shared>>, Path(venue): Path<String>) -> Response {
    let Some(frames) = shared.service.view.watch(&venue) else { return unknown_venue(&shared, &venue) };
    let client = shared.service.telemetry.console_client();
    let events = events(frames).map(move |event| {
        // The client counts as connected for as long as its stream lives.
        let _ = &client;
        event
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10))).into_response()
}

fn events(frames: watch::Receiver<Frame>) -> impl Stream<Item = Result<Event, Infallible>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    tokio::spawn(send_frames(frames, sender));
    tokio_stream::wrappers::ReceiverStream::new(receiver).map(Ok)
}

async fn send_frames(mut frames: watch::Receiver<Frame>, sender: tokio::sync::mpsc::Sender<Event>) {
    let mut sent = Frame::default();
    loop {
        let frame = frames.borrow_and_update().clone();
        for (name, new, old) in [("picture", &frame.picture, &sent.picture), ("alarms", &frame.alarms, &sent.alarms)] {
            let Some(text) = new else { continue };
            if old.as_ref().is_some_and(|old| Arc::ptr_eq(old, text)) {
                continue;
            }
            if sender.send(Event::default().event(name).data(&**text)).await.is_err() {
                return;
            }
        }
        sent = frame;
        tokio::time::sleep(BETWEEN_PICTURES).await;
        tokio::select! {
            changed = frames.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
        }
    }
}

/// A place's history by minute.
#[utoipa::path(get, path = "/api/v1/venues/{venue}/places/{place}/history", params(("venue" = String, Path), ("place" = String, Path), ("minutes" = Option<usize>, Query)), responses((status = 200, description = "points, oldest first", body = History), (status = 404, body = Refused)))]
async fn history(State(shared): State<Arc<Shared>>, Path((venue, place)): Path<(String, String)>, Query(query): Query<HistoryQuery>) -> Response {
    let Some(known) = shared.service.world.find(&venue).map(|id| shared.service.world.venue(id)) else { return unknown_venue(&shared, &venue) };
    let names = [&known.zone_names, &known.gate_names, &known.link_names];
    if *known.id != *place && names.iter().all(|names| names.position(&place).is_none()) {
        return refuse(StatusCode::NOT_FOUND, format!("{venue} has no place {place}; the nearest are {}", known.zone_names.nearest(&place).join(", ")));
    }
    let points = shared.service.view.history(&venue, &place, query.minutes.unwrap_or(120));
    Json(History { place, points }).into_response()
}

#[derive(Deserialize)]
struct ExplainQuery {
    zone: String,
    at: Option<i64>,
}

/// Why a window of a zone is open, closed or revised.
#[utoipa::path(get, path = "/api/v1/venues/{venue}/explain", params(("venue" = String, Path), ("zone" = String, Query), ("at" = Option<i64>, Query)), responses((status = 200, description = "the explanation, and its words in `text`", body = serde_json::Value), (status = 404, body = Refused), (status = 503, body = Refused)))]
async fn explain(State(shared): State<Arc<Shared>>, Path(venue): Path<String>, Query(query): Query<ExplainQuery>) -> Response {
    #[derive(Serialize)]
    struct Explained {
        #[serde(flatten)]
        told: crate::engine::explain::Explanation,
        text: Vec<String>,
    }
    let service = &shared.service;
    let Some(known) = service.world.find(&venue).map(|id| service.world.venue(id)) else { return unknown_venue(&shared, &venue) };
    let Some(zone) = known.find_zone(&query.zone) else {
        return refuse(
            StatusCode::NOT_FOUND,
            format!("{venue} has no zone {}; the nearest are {}", query.zone, known.zone_names.nearest(&query.zone).join(", ")),
        );
    };
    // The end of the last closed pane lies in the one that is to close next.
    let at = EventTime::from_millis(query.at.or_else(|| service.view.event_time(&venue)).unwrap_or(0));
    let Some(answer) = service.view.questions().ask(Question { venue: venue.clone(), zone, at }) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many questions wait already; ask again".to_owned());
    };
    match tokio::time::timeout(TO_EXPLAIN, answer).await {
        Ok(Ok(told)) => {
            let text = lines(&told);
            Json(Explained { told, text }).into_response()
        }
        _ => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("no shard of this instance answers for {venue}: another instance has it, or its shard does not poll"),
        ),
    }
}

/// Writes a command to `midan.commands`.
#[utoipa::path(post, path = "/api/v1/commands", request_body = CommandRequest, responses((status = 202, body = Accepted), (status = 400, body = Refused), (status = 503, body = Refused)))]
async fn command(State(shared): State<Arc<Shared>>, body: Result<Json<CommandRequest>, JsonRejection>) -> Response {
    let request = match body {
        Ok(Json(request)) => request,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, why.body_text()),
    };
    if let Err(why) = commands::check(&shared.service, &request) {
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    let event_time = shared.service.view.event_time(&request.venue).unwrap_or(0);
    // Live, the operator's time is the broker's now; in a demonstration that is simulated, and never behind the picture the operator saw.
    let at = shared.service.view.now().max(event_time);
    let number = shared.command_no.fetch_add(1, Ordering::Relaxed);
    let command_id = format!("{}-{}-{number}", request.operator, shared.service.status.started);
    let record = CommandRecord {
        kind: "command",
        command_id: &command_id,
        venue: &request.venue,
        operator: &request.operator,
        at,
        action: &request.action,
        alarm_id: request.alarm_id.as_deref(),
        until: request.until,
        reason: request.reason.as_deref(),
        zone: request.zone.as_deref(),
        persons: request.persons,
        swap: &request.swap,
    };
    let Ok(value) = serde_json::to_vec(&record) else { return refuse(StatusCode::BAD_REQUEST, "the command cannot be written as JSON".to_owned()) };
    if let Err(why) = commands::read_back(&shared.service.world, &request.venue, at, &value) {
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    match shared.service.commands.send(&request.venue, value) {
        Ok(()) => (StatusCode::ACCEPTED, Json(Accepted { command_id })).into_response(),
        Err(why) => refuse(StatusCode::SERVICE_UNAVAILABLE, format!("the log does not take the command: {why}; try again")),
    }
}

/// How the service runs.
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = Status)))]
async fn status(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.service.status.clone()).into_response()
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.service.ready.load(Ordering::Relaxed) {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "restoring\n").into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], shared.service.telemetry.render()).into_response()
}

fn unknown_venue(shared: &Shared, venue: &str) -> Response {
    let near = shared.service.world.names.nearest(venue).join(", ");
    refuse(StatusCode::NOT_FOUND, format!("venue {venue} is not configured; the nearest are {near}"))
}

fn refuse(status: StatusCode, error: String) -> Response {
    (status, Json(Refused { error })).into_response()
}

#[cfg(test)]
#[path = "api_tests.rs"]
mod tests;
