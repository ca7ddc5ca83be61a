//! A lower layer never imports a higher one, and the pure core touches nothing outside (DESIGN §2).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The layers as `lib.rs` draws them; every other module is an edge (layer 5).
const LAYERS: [(&str, u8); 10] =
    [("time", 0), ("venue", 0), ("feeds", 1), ("window", 1), ("crowd", 2), ("forecast", 2), ("inference", 2), ("detect", 3), ("alarm", 3), ("engine", 4)];

/// Arrows between modules of one layer.
const ARROWS: [(&str, &str); 5] = [("venue", "time"), ("window", "feeds"), ("forecast", "crowd"), ("forecast", "inference"), ("alarm", "detect")];

/// What the pure core must not name outside its tests, and why.
const BANNED: [(&str, &str); 9] = [
    ("SystemTime", "reads a clock"),
    ("Instant", "reads a clock"),
    ("std::env", "reads the environment"),
    ("std::fs", "does I/O"),
    ("std::net", "does I/O"),
    ("std::thread", "spawns"),
    ("tokio", "awaits"),
    ("tracing", "logs by itself"),
    ("rdkafka", "knows Kafka"),
];

fn layer_of(module: &str) -> u8 {
    LAYERS.iter().find(|(name, _)| *name == module).map_or(5, |(_, layer)| *layer)
}

/// Every source file of the core modules: (module, path, code without comments and tests).
fn core_files() -> Vec<(String, PathBuf, String)> {
    let mut files = Vec::new();
    for (module, _) in LAYERS {
        collect(module, &Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module), &mut files);
    }
    files
}

fn collect(module: &str, folder: &Path, files: &mut Vec<(String, PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(module, &path, files);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && name != "sample.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((module.to_owned(), path, code_of(&text)));
        }
    }
}

fn code_of(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    before_tests.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The modules that `code` names as `crate::module`.
fn imports(code: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    code.match_indices("crate::").map(|(at, found)| word(&code[at + found.len()..])).filter(|word| !word.is_empty()).collect()
}

fn faults(files: &[(String, PathBuf, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (module, path, code) in files {
        for other in imports(code).into_iter().filter(|other| other != module) {
            let allowed = match layer_of(&other).cmp(&layer_of(module)) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Equal => ARROWS.contains(&(module.as_str(), other.as_str())),
                std::cmp::Ordering::Greater => false,
            };
            if !allowed {
                faults.push(format!("{}: {module} (layer {}) imports {other} (layer {})", path.display(), layer_of(module), layer_of(&other)));
            }
        }
        for (word, why) in BANNED.iter().filter(|(word, _)| names(code, word)) {
            faults.push(format!("{}: {why}: {word}", path.display()));
        }
    }
    faults
}

/// Whether `code` names `word` as a word of its own.
fn names(code: &str, word: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| !part_of_word(code[..at].chars().next_back()) && !part_of_word(code[at + word.len()..].chars().next()))
}

#[test]
fn no_lower_layer_imports_a_higher_one_and_the_core_is_pure() {
    let files = core_files();
    let modules: BTreeMap<&str, usize> = files.iter().fold(BTreeMap::new(), |mut count, (module, _, _)| {
        *count.entry(module.as_str()).or_default() += 1;
        count
    });
    assert_eq!(modules.len(), LAYERS.len(), "every core module has files: {modules:?}");
    let faults = faults(&files);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_check_sees_an_upward_import_and_a_clock() {
    let upward = ("window".to_owned(), PathBuf::from("x.rs"), "use crate::crowd::Estimate;".to_owned());
    let clock = ("time".to_owned(), PathBuf::from("y.rs"), "let now = std::time::Instant::now();".to_owned());
    assert_eq!(faults(&[upward, clock]).len(), 2);
}
