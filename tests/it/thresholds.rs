//! No threshold stands in the detectors' code: every limit comes from a profile (DESIGN standards; crowd-science §2).

use std::path::Path;

/// Numbers that are no limits: identities, halves, units of time, and the widening of a share by two scans.
const HARMLESS: [&str; 9] = ["0.0", "1.0", "0.5", "2.0", "60.0", "1_000.0", "3_600.0", "60_000.0", "24.0"];

fn code_of(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    before_tests.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The float literals of a text.
fn floats(code: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_digit() || c == '_' || c == '.';
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let belongs_to_name = rest[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |length| start + length);
        let number = rest[start..end].trim_end_matches('.');
        if !belongs_to_name && number.contains('.') && !number.contains("..") {
            found.push(number.to_owned());
        }
        rest = &rest[end..];
    }
    found
}

#[test]
fn no_detector_holds_a_limit_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/detect");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "sample.rs" || name.ends_with("tests.rs") || path.is_dir() {
            continue;
        }
        let code = code_of(&std::fs::read_to_string(&path).unwrap());
        let limits: Vec<String> = floats(&code).into_iter().filter(|number| !HARMLESS.contains(&number.as_str())).collect();
        assert!(limits.is_empty(), "{name} holds {limits:?}: a limit belongs into a profile, with its source");
    }
}

#[test]
fn the_test_itself_sees_a_limit() {
    assert_eq!(floats("if density > 4.0 { x[0..3] } // z2.5 a_1.5"), ["4.0"]);
}
