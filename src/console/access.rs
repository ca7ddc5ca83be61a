//! Who may call: without a token the service listens on the loopback address only; with one, every call of the API shows it.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The configured token, if any.
#[derive(Clone, Default)]
pub struct Access {
    token: Option<Arc<str>>,
}

impl Access {
    /// Wants `token` of every caller; without one, lets everybody in.
    pub fn new(token: Option<String>) -> Self {
        Self { token: token.map(Arc::from) }
    }

    fn allows(&self, request: &Request) -> bool {
        let Some(token) = &self.token else { return true };
        let shown = bearer(request).or_else(|| in_query(request));
        shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.as_bytes())))
    }
}

/// Lets a request pass, or answers 401.
pub async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    if access.allows(&request) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")], r#"{"error":"a token is wanted: Authorization: Bearer TOKEN"}"#).into_response()
}

fn bearer(request: &Request) -> Option<&str> {
    request.headers().get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

/// `EventSource` cannot set headers, so the stream may carry the token in its address.
fn in_query(request: &Request) -> Option<&str> {
    request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}
