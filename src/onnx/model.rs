//! One model: its manifest, its file and its session, which only exist together.
//!
//! The idea: whoever holds a [`Model`] holds one whose file has the manifest's hash, whose tensors have the manifest's shape, and which has run once; the first run, which
//! plans memory and is slow, is over before a pane waits for it.

use super::Library;
use crate::inference::{Manifest, ModelCardRef, Refusal, Role};
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, TensorRef};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A model that is ready to run.
#[derive(Debug)]
pub struct Model {
    role: Role,
    manifest: Manifest,
    session: Session,
}

/// Why there is no model, or why it gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum ModelFault {
    #[error("{path} cannot be read: {why}")]
    Unreadable { path: String, why: String },
    #[error("{path}: {refusal}")]
    Refused { path: String, refusal: Refusal },
    #[error("{file} is {found} bytes long but its manifest says {expected}: the copy is not whole")]
    Length { file: String, found: u64, expected: u64 },
    #[error("{file} cannot be run: {why}")]
    Runtime { file: String, why: String },
    #[error("the graph in {file} has {what} {found} but its manifest says {expected}")]
    Graph { file: String, what: &'static str, found: String, expected: String },
    #[error("{file} said something that is no number in row {row}")]
    NoNumber { file: String, row: usize },
    #[error("{file} is not to be served (`midan model check` tells more): {faults}")]
    Unfit { file: String, faults: String },
}

impl Model {
    /// Loads the model whose manifest is at `manifest_path`, checks it whole, and runs it once over `rows` empty rows.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn load(library: &Library, manifest_path: &Path, role: Role, rows: usize) -> Result<Self, ModelFault> {
        let text = read(manifest_path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())?;
        let shown = manifest_path.display().to_string();
        let refused = |refusal| ModelFault::Refused { path: shown.clone(), refusal };
        let manifest = Manifest::parse(&text, role).map_err(refused)?;
        let bytes = read(&manifest_path.with_file_name(&manifest.file))?;
        if bytes.len() as u64 != manifest.bytes {
            return Err(ModelFault::Length { file: manifest.file, found: bytes.len() as u64, expected: manifest.bytes });
        }
        manifest.check_hash(&sha256(&bytes)).map_err(refused)?;
        let session = session(library, &bytes).map_err(|fault| ModelFault::Runtime { file: manifest.file.clone(), why: fault.to_string() })?;
        let mut model = Self { role, manifest, session };
        model.check_graph()?;
        model.run(&vec![0.0; rows * role.features()], rows)?;
        Ok(model)
    }

    /// What it is for.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// How outputs name it.
    pub fn card(&self) -> ModelCardRef {
        self.manifest.card()
    }

    /// Its manifest.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Runs it over `rows` rows of the role's features in one batch. The request's memory is the input tensor; nothing is copied on the way in.
    ///
    /// # Errors
    /// When ONNX Runtime refuses, the output has another shape, or any of it is not a number.
    pub fn run(&mut self, features: &[f32], rows: usize) -> Result<Vec<f32>, ModelFault> {
        let values = self.run_session(features, rows).map_err(|fault| ModelFault::Runtime { file: self.manifest.file.clone(), why: fault.to_string() })?;
        let width = self.role.width();
        if values.len() != rows * width {
            return Err(self.graph_fault("an output of length", values.len().to_string(), (rows * width).to_string()));
        }
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(values),
            Some(at) => Err(ModelFault::NoNumber { file: self.manifest.file.clone(), row: at / width }),
        }
    }

    fn run_session(&mut self, features: &[f32], rows: usize) -> ort::Result<Vec<f32>> {
        let input = TensorRef::from_array_view(([rows, self.role.features()], features))?;
        let outputs = self.session.run(ort::inputs![self.manifest.input.name.as_str() => input])?;
        let (_, values) = outputs.get(self.role.output()).ok_or_else(|| ort::Error::new("the output is missing"))?.try_extract_tensor::<f32>()?;
        Ok(values.to_vec())
    }

    /// A run of the session alone, its answer left where it is: what a measurement holds [`Model::run`] against.
    #[cfg(test)]
    pub(super) fn run_bare(&mut self, features: &[f32], rows: usize) -> ort::Result<()> {
        let input = TensorRef::from_array_view(([rows, self.role.features()], features))?;
        self.session.run(ort::inputs![self.manifest.input.name.as_str() => input]).map(drop)
    }

    fn check_graph(&self) -> Result<(), ModelFault> {
        let side = |what: &'static str, outlets: &[Outlet], name: &str, width: usize| {
            let found: Vec<String> = outlets.iter().map(described).collect();
            let expected = format!("{name} float32 [N, {width}]");
            if found == [expected.clone()] { Ok(()) } else { Err(self.graph_fault(what, found.join(", "), expected)) }
        };
        side("the input", self.session.inputs(), &self.manifest.input.name, self.role.features())?;
        side("the output", self.session.outputs(), &self.manifest.output.name, self.role.width())
    }

    fn graph_fault(&self, what: &'static str, found: String, expected: String) -> ModelFault {
        ModelFault::Graph { file: self.manifest.file.clone(), what, found, expected }
    }
}

/// A session that computes on the caller's thread alone and sleeps when it has nothing to do.
fn session(library: &Library, bytes: &[u8]) -> ort::Result<Session> {
    Session::builder(library.environment())?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_deterministic_compute(true)?
        .commit_from_memory(bytes)
}

/// Name, type and shape of a tensor, as manifests write them; `N` for a free dimension.
fn described(outlet: &Outlet) -> String {
    let dimensions = outlet.dtype().tensor_shape().map(|shape| shape.iter().map(|size| if *size < 0 { "N".to_owned() } else { size.to_string() }));
    let shape = dimensions.map(|dimensions| dimensions.collect::<Vec<_>>().join(", ")).unwrap_or_default();
    let kind = match outlet.dtype().tensor_type() {
        Some(TensorElementType::Float32) => "float32".to_owned(),
        Some(other) => format!("{other:?}"),
        None => "no tensor".to_owned(),
    };
    format!("{} {kind} [{shape}]", outlet.name())
}

fn read(path: &Path) -> Result<Vec<u8>, ModelFault> {
    std::fs::read(path).map_err(|fault| ModelFault::Unreadable { path: path.display().to_string(), why: fault.to_string() })
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
