//! The registry's client against a small server that speaks the registry's HTTP, and misbehaves on purpose.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Mutex;

/// What the server answers to one question: a status and a body, after a pause.
type Reply = (u16, String, Duration);

/// Serves the replies in turn, the last one for ever, and notes what was asked.
#[allow(clippy::disallowed_methods, reason = "a registry that answers late is what is tested")]
fn server(replies: Vec<Reply>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let (status, body, pause) = replies[n.min(replies.len() - 1)].clone();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            noted.lock().unwrap().push(first.split(' ').nth(1).unwrap().to_owned());
            std::thread::sleep(pause);
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: application/vnd.schemaregistry.v1+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (url, asked)
}

fn registry(url: &str, timeout_ms: u64, forget_ms: u64) -> Registry {
    Registry::new(&settings::Registry {
        url: url.to_owned(),
        timeout: Duration::from_millis(timeout_ms),
        attempts: 3,
        forget_after: Duration::from_millis(forget_ms),
    })
}

fn at_once(status: u16, body: &str) -> Reply {
    (status, body.to_owned(), Duration::ZERO)
}

const SCHEMA: &str = r#"{"schema":"{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"n\",\"type\":\"int\"}]}"}"#;
const UNKNOWN: &str = r#"{"error_code":40403,"message":"Schema not found"}"#;
const RECORD: [u8; 6] = [0, 0, 0, 0, 7, 24];

#[test]
fn a_schema_is_asked_for_once() {
    let (url, asked) = server(vec![at_once(200, SCHEMA)]);
    let mut registry = registry(&url, 5_000, 60_000);
    for _ in 0..3 {
        assert_eq!(registry.decode(&RECORD).unwrap(), br#"{"n":12}"#);
    }
    assert_eq!(*asked.lock().unwrap(), ["/schemas/ids/7"]);
}

#[test]
fn an_unknown_id_is_retried_then_refused_and_its_records_wait_for_nobody() {
    let (url, asked) = server(vec![at_once(404, UNKNOWN)]);
    let mut registry = registry(&url, 5_000, 60_000);
    let fault = registry.decode(&RECORD).unwrap_err();
    assert_eq!((fault.reason, fault.field.as_str()), (Reason::UnknownFormat, "schema"));
    assert!(fault.detail.contains("does not know schema 7, asked 3 times"), "{fault}");
    for _ in 0..100 {
        assert!(registry.decode(&RECORD).is_err());
    }
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[test]
fn an_id_that_appears_later_is_found() {
    let (url, _) = server(vec![at_once(404, UNKNOWN), at_once(404, UNKNOWN), at_once(404, UNKNOWN), at_once(200, SCHEMA)]);
    let mut registry = registry(&url, 5_000, 0);
    assert!(registry.decode(&RECORD).is_err());
    assert!(registry.decode(&RECORD).is_ok());
}

#[test]
fn a_registry_that_fails_or_is_slow_is_tried_again_within_its_time() {
    let slow = (200, SCHEMA.to_owned(), Duration::from_secs(30));
    let (url, asked) = server(vec![at_once(500, "{}"), at_once(503, "busy"), at_once(200, SCHEMA)]);
    assert!(registry(&url, 5_000, 60_000).decode(&RECORD).is_ok());
    assert_eq!(asked.lock().unwrap().len(), 3);
    let (url, _) = server(vec![slow]);
    let fault = registry(&url, 50, 60_000).decode(&RECORD).unwrap_err();
    assert!(fault.detail.contains("did not answer for schema 7"), "{fault}");
    let (url, _) = server(vec![at_once(200, "<html>")]);
    assert!(registry(&url, 5_000, 60_000).decode(&RECORD).unwrap_err().detail.contains("not a registry's"));
}

#[test]
fn imports_are_asked_for_by_subject_and_version() {
    let main = r#"{"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; import \"p.proto\"; message S { P p = 1; }","references":[{"name":"p.proto","subject":"place","version":2}]}"#;
    let (url, asked) =
        server(vec![at_once(200, main), at_once(200, r#"{"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message P { int32 gate = 1; }"}"#)]);
    assert_eq!(registry(&url, 5_000, 60_000).decode(&[0, 0, 0, 0, 9, 0, 10, 2, 8, 12]).unwrap(), br#"{"p":{"gate":12}}"#);
    assert_eq!(*asked.lock().unwrap(), ["/schemas/ids/9", "/subjects/place/versions/2"]);
}
