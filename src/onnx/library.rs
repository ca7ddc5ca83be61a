//! The shared library of ONNX Runtime, loaded at run time from a configured path.
//!
//! The idea: a process loads one library and keeps it, for ONNX Runtime has one environment per process; every shard takes the same. Loading anything but that is
//! refused with a reason and leaves the process as it was, so that a corrected path can be tried again.

use ort::environment::Environment;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

static LOADED: OnceLock<Library> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

/// The loaded library.
#[derive(Clone, Debug)]
pub struct Library {
    environment: Environment,
    path: PathBuf,
    build: String,
}

/// Why there is no library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum LibraryFault {
    #[error("no ONNX Runtime library at {path}: set `models.library` to libonnxruntime.so (`make setup` takes it out of the pinned `onnxruntime` wheel)")]
    Missing { path: String },
    #[error("{path} is not a usable ONNX Runtime library: {why}")]
    Unusable { path: String, why: String },
    #[error("{path} cannot be loaded beside {loaded}: a process holds one ONNX Runtime; restart to change it")]
    AnotherIsLoaded { path: String, loaded: String },
}

impl Library {
    /// Loads the library at `path`, a file; the second call for the same file gives the same library.
    ///
    /// # Errors
    /// When the file is missing, is no ONNX Runtime of a known interface, or another one is loaded already.
    pub fn load(path: &Path) -> Result<Self, LibraryFault> {
        let shown = path.display().to_string();
        let Some(found) = path.canonicalize().ok().filter(|found| found.is_file()) else {
            return Err(LibraryFault::Missing { path: shown });
        };
        let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = LOADED.get() {
            let same = loaded.path == found;
            return if same { Ok(loaded.clone()) } else { Err(LibraryFault::AnotherIsLoaded { path: shown, loaded: loaded.path.display().to_string() }) };
        }
        let unusable = |why: String| LibraryFault::Unusable { path: shown.clone(), why };
        let builder = ort::init_from(&found).map_err(|fault| unusable(fault.to_string()))?;
        let environment = builder.with_name("midan").with_telemetry(false).build().map_err(|fault| unusable(fault.to_string()))?;
        let library = Self { environment, path: found, build: ort::info().to_owned() };
        Ok(LOADED.get_or_init(|| library).clone())
    }

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of its build.
    pub fn build(&self) -> &str {
        &self.build
    }

    pub(super) const fn environment(&self) -> &Environment {
        &self.environment
    }
}
