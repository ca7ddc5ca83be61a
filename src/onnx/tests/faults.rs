//! Files that are whole by their manifest and yet no good: each is made here, byte by byte, and meets the real library.

use super::*;
use sha2::{Digest, Sha256};

/// One field of a protocol buffer that carries bytes.
fn bytes(field: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let mut out = vec![field << 3 | 2];
    let mut len = value.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend(value);
    out
}

/// One that carries a small number.
fn number(field: u8, value: u8) -> Vec<u8> {
    assert!(value < 0x80 && field < 32);
    let tag = if field < 16 { vec![field << 3] } else { vec![field << 3 | 0x80, 1] };
    [tag, vec![value]].concat()
}

/// A node with one input and one output, and its attributes.
fn node(kind: &str, from: &str, to: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes.iter().flat_map(|attribute| bytes(5, attribute)).collect();
    bytes(1, [bytes(1, from), bytes(2, to), bytes(4, kind), attributes].concat())
}

/// The attribute `axes = [1]`.
fn along_the_row() -> Vec<u8> {
    [bytes(1, "axes"), number(8, 1), number(20, 7)].concat()
}

/// A tensor `[N, width]` of 32-bit floats, as field `field` of the graph.
fn tensor(field: u8, name: &str, width: u8) -> Vec<u8> {
    let shape = [bytes(1, bytes(2, "N")), bytes(1, number(1, width))].concat();
    let kind = bytes(1, [number(1, 1), bytes(2, shape)].concat());
    bytes(field, [bytes(1, name), bytes(2, kind)].concat())
}

/// An ONNX file (operator set 17) of these nodes, from `features` to `score`.
fn file(nodes: &[Vec<u8>], width: u8) -> Vec<u8> {
    let graph = [nodes.concat(), bytes(2, "g"), tensor(11, "features", FEATURES as u8), tensor(12, "score", width)].concat();
    [number(1, 8), bytes(7, graph), bytes(8, number(2, 17))].concat()
}

/// Sits a file in the seat of the anomaly model, with a manifest that has its length and hash, and no recorded rows.
fn seated(library: PathBuf, onnx: &[u8]) -> Models {
    let mut manifest: toml::Table = std::fs::read_to_string(root().join("models/crowd-anomaly.toml")).unwrap().parse().unwrap();
    manifest.remove("recorded").unwrap();
    seated_by(library, onnx, manifest)
}

/// The same with all else that stands in a manifest.
fn seated_by(library: PathBuf, onnx: &[u8], mut manifest: toml::Table) -> Models {
    let folder = tempfile::tempdir().unwrap();
    let digest: String = Sha256::digest(onnx).iter().map(|byte| format!("{byte:02x}")).collect();
    manifest.insert("file".into(), "made.onnx".into());
    manifest.insert("sha256".into(), digest.into());
    manifest.insert("bytes".into(), (onnx.len() as i64).into());
    std::fs::write(folder.path().join("made.onnx"), onnx).unwrap();
    std::fs::write(folder.path().join("made.toml"), manifest.to_string()).unwrap();
    Models::load(&Settings { anomaly: Some(folder.path().join("made.toml")), ..settings(library) })
}

fn why_not(models: &Models) -> &str {
    match &models.status()[1].state {
        ModelState::Fallback { why } => why,
        ModelState::Active { card, .. } => panic!("{card:?} speaks"),
    }
}

#[test]
fn a_model_that_says_no_number_is_not_heard_at_that_pane_and_is_asked_again() {
    let Some(path) = library_path() else { return };
    // To the power of the row's mean: a number while that is below ninety, as in all that is tried before it is heard.
    let power = [node("ReduceMean", "features", "mean", &[along_the_row()]), node("Exp", "mean", "score", &[])];
    let mut models = seated(path, &file(&power, 1));
    assert!(models.card(Role::Anomaly).is_some(), "{}", why_not(&models));
    let mut one_bad_row = vec![0.0; 16 * FEATURES];
    one_bad_row[3 * FEATURES..4 * FEATURES].fill(100.0);
    assert_eq!(models.run(&ask(16, one_bad_row)).anomaly, Outcome::Absent, "nobody knows what else is wrong with that run");
    assert!(matches!(&models.status()[1].state, ModelState::Active { last_fault: Some(why), .. } if why.contains("row 3")), "{:?}", models.status()[1]);
    assert_eq!(models.status()[1].failed, 1);
    assert_eq!(models.run(&ask(16, vec![0.0; 16 * FEATURES])).anomaly, Outcome::Ran(vec![1.0; 16]));
}

#[test]
fn a_model_that_says_no_number_in_its_warm_up_is_refused() {
    let Some(path) = library_path() else { return };
    let logarithm = [node("ReduceMean", "features", "mean", &[along_the_row()]), node("Log", "mean", "score", &[])];
    let mut models = seated(path, &file(&logarithm, 1));
    assert!(why_not(&models).contains("no number in row 0"), "{}", why_not(&models));
    assert_eq!(models.run(&ask(16, features(16))).anomaly, Outcome::Absent);
}

#[test]
fn a_model_that_says_no_number_at_an_input_that_may_come_is_refused_before_it_is_heard() {
    let Some(path) = library_path() else { return };
    let root = [node("ReduceMean", "features", "mean", &[along_the_row()]), node("Sqrt", "mean", "score", &[])];
    let models = seated(path, &file(&root, 1));
    assert!(why_not(&models).contains("no number in row"), "{}", why_not(&models));
}

#[test]
fn a_model_that_answers_recorded_rows_otherwise_than_when_it_was_built_is_refused_with_the_row() {
    let Some(path) = library_path() else { return };
    let mut manifest: toml::Table = std::fs::read_to_string(root().join("models/crowd-anomaly.toml")).unwrap().parse().unwrap();
    let onnx = std::fs::read(root().join("models/crowd-anomaly.onnx")).unwrap();
    assert!(seated_by(path.clone(), &onnx, manifest.clone()).card(Role::Anomaly).is_some(), "as it ships");
    let row = manifest["recorded"].as_array_mut().unwrap()[2].as_table_mut().unwrap();
    let said = row["says"].as_array_mut().unwrap();
    said[0] = toml::Value::Float(said[0].as_float().unwrap() + 0.25);
    let models = seated_by(path, &onnx, manifest);
    let why = why_not(&models);
    assert!(why.contains("recorded row 2") && why.contains("midan model check"), "{why}");
}

#[test]
fn a_graph_of_another_shape_than_its_manifest_says_is_refused_with_both() {
    let Some(path) = library_path() else { return };
    let mut models = seated(path, &file(&[node("Sqrt", "features", "score", &[])], FEATURES as u8));
    let why = why_not(&models).to_owned();
    assert!(why.contains("score float32 [N, 30]") && why.contains("score float32 [N, 1]"), "{why}");
    assert_eq!(models.run(&ask(16, features(16))).anomaly, Outcome::Absent);
}

#[test]
fn a_file_that_is_no_graph_is_refused_though_its_hash_is_right() {
    let Some(path) = library_path() else { return };
    let whole = std::fs::read(root().join("models/crowd-anomaly.onnx")).unwrap();
    for (what, onnx) in [("half a file", &whole[..whole.len() / 2]), ("no file at all", b"".as_slice()), ("a page", b"<!doctype html><p>404")] {
        let mut models = seated(path.clone(), onnx);
        assert!(why_not(&models).contains("made.onnx cannot be run"), "{what}: {}", why_not(&models));
        assert_eq!(models.run(&ask(16, features(16))).anomaly, Outcome::Absent);
    }
}
