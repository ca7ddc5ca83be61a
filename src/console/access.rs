//! Who may call: without a token the service listens on the loopback address only; with one, every call of the API shows it.

use axum::extract::{Query, Request, State};
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
        let shown = bearer(request).map(str::to_owned).or_else(|| in_query(request));
        shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.as_bytes())))
    }
}

/// Lets a request pass, or answers 401; without a token 403 to what does not come from a page of this very machine: a foreign page whose name was made to lead here must not give orders.
pub async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    if access.token.is_none() && !is_at_home(&request) {
        return (StatusCode::FORBIDDEN, r#"{"error":"without console.token the console answers to 127.0.0.1 and localhost only, and to its own page"}"#)
            .into_response();
    }
    if access.allows(&request) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")], r#"{"error":"a token is wanted: Authorization: Bearer TOKEN"}"#).into_response()
}

/// Whether the request was sent to this machine by its own name, and by the page that stands there if by any.
fn is_at_home(request: &Request) -> bool {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(host) = header("host").or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str)) else { return false };
    let origin = header("origin").map(|origin| origin.strip_prefix("http://").unwrap_or(origin));
    is_loopback(host) && origin.is_none_or(|origin| origin == host)
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn bearer(request: &Request) -> Option<&str> {
    request.headers().get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

/// `EventSource` cannot set headers, so the stream may carry the token in its address, encoded as addresses are.
fn in_query(request: &Request) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).ok()?;
    pairs.into_iter().find_map(|(name, value)| (name == "token").then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn from(host: &str, origin: Option<&str>) -> bool {
        let request = Request::builder().uri("/api/v1/commands").header("host", host);
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        is_at_home(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_token_of_any_characters_is_read_out_of_the_address() {
        let request = Request::builder().uri("/api/v1/venues/casablanca/stream?token=a%2Bb%2F%3D").body(Body::empty()).unwrap();
        assert!(Access::new(Some("a+b/=".to_owned())).allows(&request));
        assert!(!Access::new(Some("a%2Bb%2F%3D".to_owned())).allows(&request));
    }

    #[test]
    fn without_a_token_only_this_machine_s_own_page_gives_orders() {
        assert!(from("127.0.0.1:8030", None) && from("localhost:8030", Some("http://localhost:8030")) && from("[::1]:8030", None) && from("localhost", None));
        assert!(!from("evil.example", None), "a name that was made to lead here");
        assert!(!from("127.0.0.1:8030", Some("http://evil.example")), "a foreign page");
        assert!(!from("127.0.0.1:8030", Some("http://127.0.0.1:9999")), "another page of this machine");
    }
}
