//! The interface beside its page: what `docs/API.md` says is what is served, and a command that cannot be carried out is refused with its field.

use super::*;
use crate::config::read_world;

const PAGE: &str = include_str!("../../docs/API.md");

struct Nowhere;

impl CommandSink for Nowhere {
    fn send(&self, _: &str, _: Vec<u8>) -> Result<(), String> {
        Ok(())
    }
}

fn shared() -> Shared {
    let world = Arc::new(read_world(std::path::Path::new("config")).unwrap());
    let view = Arc::new(LiveView::new(&world.venues));
    let status = Status { version: "1".into(), started: 0, shards: 1, mode: "live", speed: None };
    let telemetry = Telemetry::new().unwrap();
    let service = Service { world, view, commands: Box::new(Nowhere), status, telemetry, ready: Arc::default(), token: None };
    Shared { service, command_no: AtomicU64::new(0) }
}

fn recount(zone: &str) -> CommandRequest {
    let (alarm_id, until, reason) = (None, None, None);
    let (venue, operator, action) = ("casablanca".to_owned(), "op-1".to_owned(), "recount".to_owned());
    CommandRequest { venue, operator, action, alarm_id, until, reason, zone: Some(zone.to_owned()), persons: Some(7), swap: SwapRequest::default() }
}

#[test]
fn a_recount_of_a_zone_that_is_none_is_refused_with_the_nearest() {
    let shared = shared();
    assert_eq!(commands::check(&shared.service, &recount("bowl")), Ok(()));
    let told = commands::check(&shared.service, &recount("bowel")).unwrap_err();
    assert!(told.starts_with("zone: casablanca has no zone bowel") && told.contains("bowl"), "{told}");
}

#[test]
fn what_the_engine_would_set_aside_is_refused_before_it_is_accepted() {
    let shared = shared();
    let on_alarm = |action: &str, until| CommandRequest {
        action: action.to_owned(),
        alarm_id: Some("DENS/casablanca/bowl/1".to_owned()),
        reason: Some("seen".to_owned()),
        until,
        zone: None,
        persons: None,
        ..recount("bowl")
    };
    let told = commands::check(&shared.service, &on_alarm("ack", None)).unwrap_err();
    assert!(told.starts_with("alarm_id: no alarm DENS/casablanca/bowl/1 stands"), "{told}");
    let written = |value: serde_json::Value| commands::read_back(&shared.service.world, "casablanca", 1_907_863_200_000, value.to_string().as_bytes());
    let comment = serde_json::json!({"type": "command", "command_id": "c", "venue": "casablanca", "operator": "op", "at": 1_907_863_200_000_i64,
        "action": "comment", "alarm_id": "DENS/casablanca/bowl/1", "reason": "a word"});
    assert_eq!(written(comment.clone()), Ok(()));
    let mut without = comment;
    without.as_object_mut().unwrap().remove("reason");
    assert!(written(without).unwrap_err().contains("reason"));
}

#[test]
fn every_call_of_the_generated_document_stands_on_the_page() {
    let document = serde_json::to_value(Document::openapi()).unwrap();
    for (path, calls) in document["paths"].as_object().unwrap() {
        for method in calls.as_object().unwrap().keys() {
            let call = format!("`{} {path}", method.to_uppercase());
            assert!(PAGE.contains(&call), "docs/API.md lacks {call}");
        }
    }
}

#[test]
fn every_answer_of_the_generated_document_says_what_is_in_it() {
    let document = serde_json::to_value(Document::openapi()).unwrap();
    let calls = document["paths"].as_object().unwrap().iter().flat_map(|(path, calls)| calls.as_object().unwrap().values().map(move |call| (path, call)));
    let answers = calls.flat_map(|(path, call)| call["responses"].as_object().unwrap().iter().map(move |(status, answer)| (path, status, answer)));
    let mut told = 0;
    for (path, status, answer) in answers {
        let content = answer["content"].as_object().unwrap_or_else(|| panic!("{path}: {status} has no body"));
        assert!(content.values().all(|of| of.get("schema").is_some()), "{path}: {status}");
        told += 1;
    }
    assert!(told >= 14, "{told}");
    assert!(document["components"]["schemas"]["Site"]["allOf"].to_string().contains("illustrative"));
}

#[test]
fn the_status_on_the_page_is_the_status_that_is_served() {
    let row = PAGE.lines().find(|line| line.contains("`GET /api/v1/status`")).unwrap();
    let told: Vec<&str> = row.split('{').nth(1).unwrap().split('}').next().unwrap().split(", ").map(|field| field.split(':').next().unwrap()).collect();
    let served = serde_json::to_value(shared().service.status).unwrap();
    let mut served: Vec<&str> = served.as_object().unwrap().keys().map(String::as_str).collect();
    served.sort_unstable();
    let mut sorted = told.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, served);
}

#[test]
fn every_headline_that_a_detector_writes_stands_on_the_page() {
    let mut found = 0;
    for file in std::fs::read_dir("src/detect").unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for key in source.split("headline: \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            found += 1;
            assert!(PAGE.contains(&format!("`{key}`")), "docs/API.md lacks {key}");
        }
    }
    assert!(found > 15, "{found}");
}

#[test]
fn a_swap_names_its_model_whole_or_is_refused() {
    let shared = shared();
    let swap = |sha256: &str| SwapRequest { model: Some("m".to_owned()), version: Some("2".to_owned()), sha256: Some(sha256.to_owned()), ..Default::default() };
    let request = CommandRequest { action: "swap_model".to_owned(), zone: None, persons: None, swap: swap("ab"), ..recount("bowl") };
    assert_eq!(commands::check(&shared.service, &request), Ok(()));
    let written = |swap: &SwapRequest| {
        let (venue, at) = ("casablanca", 1_907_863_200_000);
        let nothing = None;
        let record = CommandRecord {
            kind: "command",
            command_id: "c",
            venue,
            operator: "op",
            at,
            action: "swap_model",
            alarm_id: nothing,
            until: None,
            reason: nothing,
            zone: nothing,
            persons: None,
            swap,
        };
        commands::read_back(&shared.service.world, venue, at, &serde_json::to_vec(&record).unwrap())
    };
    assert_eq!(written(&swap(&"ab".repeat(32))), Ok(()));
    assert!(written(&swap("ab")).unwrap_err().contains("sha256"));
    assert!(written(&SwapRequest { model: None, ..swap(&"ab".repeat(32)) }).unwrap_err().contains("model"));
}
