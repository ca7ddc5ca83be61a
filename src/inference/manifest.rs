//! The manifest beside a model: what must be known and hold before the file may speak.
//!
//! The idea: a model is refused in words, never in numbers. The manifest (TOML, written by `models/train/`) names the feature set, the shapes and the hash of its
//! file; what this binary cannot serve exactly is refused with what was found, what was expected and what to do, and the fallback goes on.

use super::ask::{FEATURES, FLOW_FEATURES, HORIZONS, QUANTILES, STEPS};
use super::drift::Reference;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The forecast of flows: quantiles per horizon.
    Flow,
    /// The anomaly score.
    Anomaly,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Flow, Self::Anomaly];

    /// The word in outputs and labels.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Anomaly => "anomaly",
        }
    }

    /// The feature set that this binary computes for it (docs/FEATURES.md).
    pub const fn feature_set(self) -> &'static str {
        match self {
            Self::Flow => "midan-features-2",
            Self::Anomaly => "midan-features-3",
        }
    }

    /// Numbers per row of the input.
    pub const fn features(self) -> usize {
        match self {
            Self::Flow => FLOW_FEATURES,
            Self::Anomaly => FEATURES,
        }
    }

    /// The name of the output tensor.
    pub const fn output(self) -> &'static str {
        match self {
            Self::Flow => "quantiles",
            Self::Anomaly => "score",
        }
    }

    /// Numbers per row of the output.
    pub const fn width(self) -> usize {
        match self {
            Self::Flow => HORIZONS * QUANTILES,
            Self::Anomaly => 1,
        }
    }
}

/// Which model spoke, as outputs name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelCardRef {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file, hexadecimal.
    pub sha256: String,
}

/// A model's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The model's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The ONNX file, beside the manifest.
    pub file: String,
    /// SHA-256 of the file, hexadecimal, in lower case once it is read.
    pub sha256: String,
    /// Length of the file, bytes.
    pub bytes: u64,
    /// Whether it beat the simple methods on its hold-out; else the fallback ships.
    pub ships: bool,
    /// What its input means.
    pub feature_set: String,
    /// ONNX operator set.
    pub opset: u32,
    /// ONNX format version.
    pub ir_version: u32,
    /// Number of weights.
    pub parameters: u64,
    /// Forecast horizons, steps.
    pub horizons: Vec<u32>,
    /// Quantiles per horizon.
    pub quantiles: Vec<f64>,
    /// Licence of the weights.
    pub licence: String,
    /// The command that rebuilds it.
    pub created_by: String,
    /// The seed it was trained from.
    pub seed: u64,
    /// The input tensor.
    pub input: Tensor,
    /// The output tensor.
    pub output: Tensor,
    /// Raw scores above which known shares of quiet rows lie (anomaly models).
    pub quiet: Option<Quiet>,
    /// How the inputs were spread that it was trained on (flow models).
    pub reference: Option<Reference>,
    /// What it said of some recorded rows when it was built.
    #[serde(default)]
    pub recorded: Vec<Recorded>,
    /// What it was trained on.
    #[serde(default)]
    pub training_sets: Vec<TrainingSet>,
    /// What it reached, one table per set and measure; for people, so the keys are free.
    #[serde(default)]
    pub figures: Vec<BTreeMap<String, toml::Value>>,
}

/// One tensor of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Its name in the graph.
    pub name: String,
    /// Element type; `float32`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Dimensions; the first is the batch, `"N"`.
    pub shape: Vec<Dimension>,
    /// What the numbers mean.
    pub unit: String,
    /// Their order within a row.
    pub layout: Option<String>,
}

/// One dimension of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// A fixed one.
    Fixed(u64),
    /// A free one, by its name.
    Free(String),
}

/// Raw scores of quiet rows on the hold-out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// Shares of quiet rows.
    pub share_above: Vec<f64>,
    /// The score above which each share lies, with a profile.
    pub warm: Vec<f64>,
    /// The same without one.
    pub cold: Vec<f64>,
}

/// A recorded row of the input, and what the model said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The row, as wide as the role's input.
    pub features: Vec<f32>,
    /// What was said, as wide as the role's output.
    pub says: Vec<f32>,
}

/// A data set that a model was trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSet {
    /// Its name.
    pub name: String,
    /// From when to when.
    pub period: String,
    /// Its licence.
    pub licence: String,
}

/// Why a model is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum Refusal {
    #[error("the manifest cannot be read: {why}")]
    Unreadable { why: String },
    #[error(
        "`feature_set` is \"{found}\" but this binary computes \"{expected}\": retrain with models/train/ of the same release, or take the release that the model belongs to"
    )]
    FeatureSet { found: String, expected: &'static str },
    #[error("`{field}` is {found} but a {role} model needs {expected}", role = .role.word())]
    Shape { role: Role, field: String, found: String, expected: String },
    #[error("`reference`: {why}; let models/train/ of the same release write it again, or leave it out and the inputs are held against the venue's own alone")]
    Reference { why: String },
    #[error("`ships` is false: the model did not beat the simple methods on its hold-out, and the fallback stands in")]
    DoesNotShip,
    #[error("`file` is \"{found}\": it must be a file name beside the manifest, without a folder")]
    FileName { found: String },
    #[error(
        "the SHA-256 of {file} is {found} but its manifest says {expected}: the file and the manifest are not of one build; take both from the same release"
    )]
    Hash { file: String, found: String, expected: String },
}

impl Manifest {
    /// Reads a manifest and checks that this binary can serve the model in that role.
    ///
    /// # Errors
    /// The first thing that does not hold. Keys that are not known are refused with the known ones.
    pub fn parse(text: &str, role: Role) -> Result<Self, Refusal> {
        let mut manifest: Self = toml::from_str(text).map_err(|fault| Refusal::Unreadable { why: fault.to_string().trim_end().to_owned() })?;
        // Orders and the journal name it in lower case.
        manifest.sha256.make_ascii_lowercase();
        manifest.check(role)?;
        Ok(manifest)
    }

    /// Checks the file's own hash (SHA-256, hexadecimal).
    ///
    /// # Errors
    /// [`Refusal::Hash`] when it is another one.
    pub fn check_hash(&self, found: &str) -> Result<(), Refusal> {
        if found.eq_ignore_ascii_case(&self.sha256) {
            return Ok(());
        }
        Err(Refusal::Hash { file: self.file.clone(), found: found.to_owned(), expected: self.sha256.clone() })
    }

    /// How outputs name the model.
    pub fn card(&self) -> ModelCardRef {
        ModelCardRef { name: self.name.clone(), version: self.version.clone(), sha256: self.sha256.clone() }
    }

    fn check(&self, role: Role) -> Result<(), Refusal> {
        if self.feature_set != role.feature_set() {
            return Err(Refusal::FeatureSet { found: self.feature_set.clone(), expected: role.feature_set() });
        }
        if self.file.is_empty() || self.file.contains(['/', '\\']) || self.file.starts_with('.') {
            return Err(Refusal::FileName { found: self.file.clone() });
        }
        let shape = |width: usize| vec![Dimension::Free("N".to_owned()), Dimension::Fixed(width as u64)];
        self.must_be(role, "input.name", &self.input.name, &"features".to_owned())?;
        self.must_be(role, "input.type", &self.input.kind, &"float32".to_owned())?;
        self.must_be(role, "input.shape", &self.input.shape, &shape(role.features()))?;
        self.must_be(role, "output.name", &self.output.name, &role.output().to_owned())?;
        self.must_be(role, "output.type", &self.output.kind, &"float32".to_owned())?;
        self.must_be(role, "output.shape", &self.output.shape, &shape(role.width()))?;
        if role == Role::Flow {
            self.must_be(role, "horizons", &self.horizons, &STEPS.to_vec())?;
            self.must_be(role, "quantiles", &self.quantiles, &vec![0.1, 0.5, 0.9])?;
        }
        for (place, recorded) in self.recorded.iter().enumerate() {
            let field = |what| format!("recorded[{place}].{what}");
            self.must_be(role, field("features"), &recorded.features.len(), &role.features())?;
            self.must_be(role, field("says"), &recorded.says.len(), &role.width())?;
            let are_numbers = recorded.features.iter().chain(&recorded.says).all(|value| value.is_finite());
            self.must_be(role, field("features and says"), &if are_numbers { "numbers" } else { "not all numbers" }, &"numbers")?;
        }
        if let Some(reference) = &self.reference {
            reference.check().map_err(|why| Refusal::Reference { why })?;
        }
        if self.ships { Ok(()) } else { Err(Refusal::DoesNotShip) }
    }

    fn must_be<T: PartialEq + std::fmt::Debug>(&self, role: Role, field: impl Into<String>, found: &T, expected: &T) -> Result<(), Refusal> {
        if found == expected {
            return Ok(());
        }
        Err(Refusal::Shape { role, field: field.into(), found: format!("{found:?}"), expected: format!("{expected:?}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = r#"
name = "crowd-flow"
version = "1.0.0"
file = "crowd-flow.onnx"
sha256 = "ab12"
bytes = 12
ships = true
feature_set = "midan-features-2"
opset = 17
ir_version = 9
parameters = 9000
horizons = [1, 2, 3, 6, 12]
quantiles = [0.1, 0.5, 0.9]
licence = "Apache-2.0"
created_by = "models/train/train.sh"
seed = 1

[input]
name = "features"
type = "float32"
shape = ["N", 105]
unit = "midan-features-2"

[output]
name = "quantiles"
type = "float32"
shape = ["N", 15]
unit = "deviations"
layout = "horizon-major"

[[training_sets]]
name = "Hardbrücke"
period = "2020"
licence = "CC0"

[[figures]]
set = "Hardbrücke"
last_value = [1.0, 2.0]
coverage_10_90 = 0.8
"#;

    fn refusal(from: &str, to: &str) -> String {
        assert!(FLOW.contains(from), "{from}");
        Manifest::parse(&FLOW.replace(from, to), Role::Flow).unwrap_err().to_string()
    }

    #[test]
    fn a_good_manifest_names_its_model() {
        let manifest = Manifest::parse(FLOW, Role::Flow).unwrap();
        assert_eq!(manifest.card(), ModelCardRef { name: "crowd-flow".into(), version: "1.0.0".into(), sha256: "ab12".into() });
        assert_eq!(manifest.figures[0]["coverage_10_90"], toml::Value::Float(0.8));
    }

    #[test]
    fn a_hash_in_upper_case_is_the_same_hash() {
        let manifest = Manifest::parse(&FLOW.replace("\"ab12\"", "\"AB12\""), Role::Flow).unwrap();
        assert_eq!((&*manifest.card().sha256, manifest.check_hash("ab12")), ("ab12", Ok(())));
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let text = refusal("opset = 17", "opsett = 17");
        assert!(text.contains("unknown field `opsett`") && text.contains("`opset`") && text.contains("line 9"), "{text}");
    }

    #[test]
    fn another_feature_set_is_refused_with_what_to_do() {
        let text = refusal("feature_set = \"midan-features-2\"", "feature_set = \"midan-features-3\"");
        assert!(text.contains("midan-features-2") && text.contains("midan-features-3") && text.contains("retrain"), "{text}");
    }

    #[test]
    fn another_shape_is_refused_with_both() {
        let text = refusal("shape = [\"N\", 15]", "shape = [\"N\", 12]");
        assert!(text.contains("output.shape") && text.contains("12") && text.contains("15") && text.contains("flow"), "{text}");
        assert!(refusal("quantiles = [0.1, 0.5, 0.9]", "quantiles = [0.05, 0.5, 0.95]").contains("quantiles"));
    }

    #[test]
    fn a_recorded_row_of_another_width_is_refused() {
        let text = refusal("[[training_sets]]", "[[recorded]]\nfeatures = [1.0]\nsays = []\n\n[[training_sets]]");
        assert!(text.contains("`recorded[0].features` is 1 but a flow model needs 105"), "{text}");
        let row = format!("[[recorded]]\nfeatures = {:?}\nsays = [{}]\n\n[[training_sets]]", vec![0.5; FLOW_FEATURES], ["nan"; 15].join(", "));
        let text = refusal("[[training_sets]]", &row);
        assert!(text.contains("`recorded[0].features and says` is \"not all numbers\""), "{text}");
    }

    #[test]
    fn a_reference_that_this_binary_does_not_count_is_refused() {
        let text = refusal("[[training_sets]]", "[reference]\nrows = 5\n\n[reference.parts]\nsigns = [[10000]]\n\n[[training_sets]]");
        assert!(text.contains("`signs` must have 80 columns of 14 bins") && text.contains("leave it out"), "{text}");
    }

    #[test]
    fn a_model_in_the_wrong_role_is_refused() {
        let text = Manifest::parse(FLOW, Role::Anomaly).unwrap_err().to_string();
        assert!(text.contains("midan-features-2") && text.contains("midan-features-3"), "{text}");
    }

    #[test]
    fn a_model_that_does_not_ship_is_refused() {
        assert!(refusal("ships = true", "ships = false").contains("fallback"));
    }

    #[test]
    fn a_file_elsewhere_is_refused() {
        assert!(refusal("file = \"crowd-flow.onnx\"", "file = \"../../etc/passwd\"").contains("beside the manifest"));
    }

    #[test]
    fn another_hash_is_refused_with_both() {
        let manifest = Manifest::parse(FLOW, Role::Flow).unwrap();
        assert_eq!(manifest.check_hash("AB12"), Ok(()));
        let text = manifest.check_hash("cd34").unwrap_err().to_string();
        assert!(text.contains("cd34") && text.contains("ab12") && text.contains("crowd-flow.onnx"), "{text}");
    }
}
