//! The world from its folder: `venues/*.toml`, `profiles/*.toml` and `mappings/*.toml`, read in the order of their names, so that ids do not hang on the file system.

use crate::venue::{ConfigFault, SourceFile, World, load};
use std::path::{Path, PathBuf};

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A file or folder cannot be read.
    #[error("{}: {why}; start where the configuration's `world.folder` is, or name it there", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file of the tickets' keys is of no use.
    #[error("{}: {what}", path.display())]
    TicketKeys {
        /// Which.
        path: PathBuf,
        /// What is wrong, without a key.
        what: String,
    },
    /// The configuration has faults.
    #[error("{} faults in the configuration:\n{}", faults.len(), list(faults))]
    Faulty {
        /// All of them.
        faults: Vec<ConfigFault>,
    },
}

fn list(faults: &[ConfigFault]) -> String {
    faults.iter().map(|fault| format!("  {fault}")).collect::<Vec<_>>().join("\n")
}

/// Reads the world from `folder`.
///
/// # Errors
/// When a file cannot be read, or with every fault of the configuration.
pub fn read_world(folder: &Path) -> Result<World, WorldError> {
    let files = read_files(folder)?;
    load(&files).map_err(|faults| WorldError::Faulty { faults })
}

/// Reads the files of venues, profiles and mappings in `folder`.
///
/// # Errors
/// When one cannot be read.
pub fn read_files(folder: &Path) -> Result<Vec<SourceFile>, WorldError> {
    let mut files = Vec::new();
    for part in ["profiles", "venues"] {
        let part = folder.join(part);
        for path in toml_files(&part).map_err(|why| WorldError::Unreadable { path: part.clone(), why })? {
            let text = std::fs::read_to_string(&path).map_err(|why| WorldError::Unreadable { path: path.clone(), why })?;
            files.push(SourceFile { path: path.display().to_string(), text });
        }
    }
    let mappings = folder.join("mappings");
    if mappings.is_dir() {
        for path in toml_files(&mappings).map_err(|why| WorldError::Unreadable { path: mappings.clone(), why })? {
            let text = std::fs::read_to_string(&path).map_err(|why| WorldError::Unreadable { path: path.clone(), why })?;
            if !is_of_a_table(&text) {
                files.push(SourceFile { path: path.display().to_string(), text });
            }
        }
    }
    Ok(files)
}

/// Mappings of tables lie in the same folder; they are read by `midan replay`.
fn is_of_a_table(text: &str) -> bool {
    text.parse::<toml::Table>().is_ok_and(|file| !file.contains_key("mapping"))
}

fn toml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_folder_is_a_world() {
        let world = read_world(Path::new("config")).unwrap();
        assert!(world.find("casablanca").is_some() && world.find("rabat").is_some());
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = read_world(Path::new("no-such-folder")).unwrap_err().to_string();
        assert!(error.starts_with("no-such-folder/profiles: "), "{error}");
    }

    #[test]
    fn a_fault_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        for part in ["venues", "profiles"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        std::fs::write(folder.path().join("venues/x.toml"), "id = 5").unwrap();
        let error = read_world(folder.path()).unwrap_err().to_string();
        assert!(error.contains("venues/x.toml:1: "), "{error}");
    }
}
