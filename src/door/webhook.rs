//! Webhooks: `POST /v1/feeds/VENUE/SOURCE`, with a token of the sender's own.
//!
//! | answer | what it means | what the sender does |
//! |---|---|---|
//! | 200 | the log has it, or it concerns nothing here | go on |
//! | 401, 404 | no such sender, or not its token | mend its settings |
//! | 413, 422 | too large, or nobody could read it; the answer says why | mend its payload; it is not taken |
//! | 429 | too many at once, or the log is behind | come again after `Retry-After` |
//! | 503 | the log did not take it in time | come again; a repeat collapses downstream |

use super::ledger::{Fate, Ledger};
use super::rate::Bucket;
use super::route::{Admission, Payload, Route};
use super::run::Context;
use super::writer::{Job, Refused};
use crate::feeds::{Attributes, Fault};
use crate::telemetry::happening::PayloadWritten;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// One sender.
pub struct Hook {
    /// Where its payloads belong.
    pub route: Route,
    token: Box<str>,
    bucket: Mutex<Bucket>,
    /// When it last sent something that was taken, epoch ms; 0 before.
    pub last: AtomicI64,
}

/// The senders, and what a payload needs on its way.
pub struct Hooks {
    by_name: BTreeMap<(Box<str>, Box<str>), Hook>,
    context: Context,
}

impl Hook {
    /// A sender with its token and limits.
    pub fn new(route: Route, token: Box<str>, rate_per_s: f64, burst: f64) -> Self {
        Self { route, token, bucket: Mutex::new(Bucket::new(rate_per_s, burst)), last: AtomicI64::new(0) }
    }
}

impl Hooks {
    /// These senders, by (venue, source).
    pub fn new(hooks: impl IntoIterator<Item = ((Box<str>, Box<str>), Hook)>, context: Context) -> Self {
        Self { by_name: hooks.into_iter().collect(), context }
    }

    /// The sender of that venue and source.
    pub fn find(&self, venue: &str, source: &str) -> Option<&Hook> {
        self.by_name.get(&(venue.into(), source.into()))
    }

    /// The addresses that are served.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/feeds/{venue}/{source}", post(take))
            .route("/v1/ledger", get(ledger))
            .route("/healthz", get(|| async { "ok" }))
            .route("/metrics", get(metrics))
            .layer(DefaultBodyLimit::max(self.context.settings.max_body_bytes))
            .with_state(Arc::clone(self))
    }
}

async fn ledger(State(hooks): State<Arc<Hooks>>) -> Response {
    let sums = hooks.context.ledger.sums();
    Json(sums.iter().map(|(source, sums)| (source.to_string(), json!(sums))).collect::<serde_json::Map<_, _>>()).into_response()
}

async fn metrics(State(hooks): State<Arc<Hooks>>) -> String {
    hooks.context.telemetry.render()
}

async fn take(State(hooks): State<Arc<Hooks>>, Path((venue, source)): Path<(Box<str>, Box<str>)>, request: Request) -> Response {
    let Some(hook) = hooks.by_name.get(&(venue, source)) else {
        return told(StatusCode::NOT_FOUND, "no such sender is configured");
    };
    if !shows(&request, &hook.token) {
        return told(StatusCode::UNAUTHORIZED, "a token is wanted: Authorization: Bearer TOKEN");
    }
    let now = hooks.context.since_start();
    if let Err(wait) = hook.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(now) {
        return later(StatusCode::TOO_MANY_REQUESTS, wait, "too many at once");
    }
    let headers = request.headers().clone();
    let body = match axum::body::to_bytes(request.into_body(), hooks.context.settings.max_body_bytes).await {
        Ok(body) => body,
        Err(_) => return told(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or did not come whole"),
    };
    hooks.admit(hook, &headers, &body).await
}

impl Hooks {
    async fn admit(&self, hook: &Hook, headers: &HeaderMap, body: &Bytes) -> Response {
        let (context, source, began) = (&self.context, &*hook.route.source, self.context.since_start());
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut attributes = Attributes::default();
        // Over HTTP the attributes bear a hyphen, on Kafka an underscore.
        for name in Attributes::NAMES {
            if let Some(value) = text(&name.replace('_', "-")) {
                attributes.take(name, value);
            }
        }
        let payload = Payload {
            bytes: body,
            content_type: text("ce-type").filter(|named| crate::feeds::Format::find(named).is_some()).or_else(|| text("content-type")),
            received: context.now_ms(),
            cloud_event: text("ce-source").zip(text("ce-id")),
            attributes,
        };
        context.ledger.came_in(source);
        let (records, unusable) = match hook.route.admit(&context.world, &payload, context.settings.max_depth) {
            Admission::Written { records, unusable } => (records, unusable),
            Admission::Ignored => {
                context.settle(source, Fate::Ignored);
                return (StatusCode::OK, Json(json!({ "written": 0 }))).into_response();
            }
            Admission::Refused(fault) => {
                context.settle(source, Fate::Refused);
                return refused(&fault);
            }
        };
        let position = format!("webhook/{}/{source}", hook.route.venues.first().map_or("", |id| &context.world.venue(*id).id));
        let refused =
            unusable.into_iter().map(|fault| Refused { venue: hook.route.venues.first().copied(), source: source.into(), position: position.clone(), fault });
        let written = records.len() as u64;
        let (told_done, hears) = tokio::sync::oneshot::channel();
        let job = Job { records, refused: refused.collect(), done: Box::new(move |result| drop(told_done.send(result))) };
        if context.queue.offer(job).is_err() {
            give_back(&context.ledger, source);
            return later(StatusCode::TOO_MANY_REQUESTS, Duration::from_secs(1), "the log is behind");
        }
        match tokio::time::timeout(context.settings.patience, hears).await {
            Ok(Ok(Ok(()))) => {
                context.settle(source, Fate::Written { records: written });
                context.telemetry.emit(PayloadWritten { seconds: (context.since_start() - began).as_secs_f64() });
                hook.last.store(payload.received, Ordering::Relaxed);
                (StatusCode::OK, Json(json!({ "written": written }))).into_response()
            }
            // It may be written yet, and comes again: the repeat collapses downstream.
            _ => {
                give_back(&context.ledger, source);
                later(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(5), "the log did not take it in time")
            }
        }
    }
}

fn give_back(ledger: &Ledger, source: &str) {
    ledger.given_back(source);
}

fn told(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn later(status: StatusCode, wait: Duration, error: &str) -> Response {
    let seconds = wait.as_millis().div_ceil(1_000).max(1).to_string();
    (status, [("retry-after", seconds)], Json(json!({ "error": error }))).into_response()
}

fn refused(fault: &Fault) -> Response {
    let status = if fault.reason == crate::feeds::Reason::TooLarge { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, Json(json!({ "error": fault.detail, "reason": fault.reason.word(), "field": fault.field }))).into_response()
}

/// Whether the request shows the token: as a bearer's, as the password of basic authentication, or in its address, for senders that can set nothing else.
fn shows(request: &Request, token: &str) -> bool {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let basic = || header.and_then(|value| value.strip_prefix("Basic ")).and_then(password);
    let in_query = || request.uri().query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("token="))).map(str::to_owned);
    bearer.or_else(basic).or_else(in_query).is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.as_bytes())))
}

/// The password in `base64(name:password)`.
fn password(encoded: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(encoded.len());
    let (mut bits, mut held) = (0_u32, 0);
    for letter in encoded.bytes().take_while(|letter| *letter != b'=') {
        bits = bits << 6 | ALPHABET.iter().position(|known| *known == letter)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    String::from_utf8(bytes).ok()?.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authorization: Option<&str>, uri: &str) -> Request {
        let mut builder = axum::http::Request::builder().uri(uri);
        if let Some(value) = authorization {
            builder = builder.header("authorization", value);
        }
        builder.body(axum::body::Body::empty()).unwrap()
    }

    #[test]
    fn a_token_may_be_shown_in_three_ways() {
        let token = "0123456789abcdef";
        assert!(shows(&request(Some("Bearer 0123456789abcdef"), "/"), token));
        assert!(shows(&request(Some("Basic YXhpczowMTIzNDU2Nzg5YWJjZGVm"), "/"), token));
        assert!(shows(&request(None, "/x?a=1&token=0123456789abcdef"), token));
        for wrong in [Some("Bearer 0123456789abcdeF"), Some("Basic !"), Some("Basic eA=="), Some("0123456789abcdef"), None] {
            assert!(!shows(&request(wrong, "/"), token), "{wrong:?}");
        }
    }
}
