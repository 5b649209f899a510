//! Where a new plugin's SDK comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// The SDK's folder in a clone of Callboard.
const FOLDER: &str = "crates/sdk";

/// The SDK that a plugin depends on.
pub(super) enum Sdk {
    /// Its own folder.
    Folder(PathBuf),
    /// A git repository that has it.
    Git(String),
}

impl Sdk {
    /// What was asked for; otherwise that of the clone which `near` is in, or which this program was built in.
    pub(super) fn find(asked: Option<&str>, near: &Path) -> Result<Sdk, Failure> {
        if let Some(asked) = asked {
            if asked.contains("://") {
                return Ok(Sdk::Git(asked.to_owned()));
            }
            let asked = Path::new(asked);
            return at(asked).or_else(|| at(&asked.join(FOLDER))).ok_or_else(|| {
                Failure::Plugin(format!(
                    "{}: neither the SDK nor a clone of Callboard, which has it in {FOLDER}; write --sdk and one of them",
                    asked.display()
                ))
            });
        }
        let program = std::env::current_exe().ok();
        let above = |path: &Path| path.canonicalize().ok()?.ancestors().find_map(|folder| at(&folder.join(FOLDER)));
        above(near).or_else(|| above(program.as_deref()?)).ok_or_else(|| {
            Failure::Plugin(
                "it is not known where the SDK is, which is not in a package registry yet. Name a clone of Callboard \
                 with --sdk FOLDER, or its git repository with --sdk https://…"
                    .to_owned(),
            )
        })
    }

    /// As `Cargo.toml` has it.
    pub(super) fn dependency(&self) -> String {
        // JSON's quotes are TOML's.
        match self {
            Sdk::Folder(folder) => format!("{{ path = {} }}", serde_json::Value::from(folder.display().to_string())),
            Sdk::Git(url) => format!("{{ git = {} }}", serde_json::Value::from(url.as_str())),
        }
    }

    /// The versions that it was tested with.
    pub(super) fn lock(&self) -> Option<PathBuf> {
        let Sdk::Folder(folder) = self else { return None };
        Some(folder.ancestors().nth(2)?.join("Cargo.lock")).filter(|lock| lock.is_file())
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sdk::Folder(folder) => write!(f, "that of {}", folder.display()),
            Sdk::Git(url) => write!(f, "that of {url}"),
        }
    }
}

/// The SDK in its own folder, if it is there.
fn at(folder: &Path) -> Option<Sdk> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let is_it = manifest.lines().any(|line| line.replace(' ', "") == "name=\"callboard-sdk\"");
    is_it.then(|| folder.canonicalize().ok().map(Sdk::Folder)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_is() {
        let clone = tempfile::tempdir().unwrap();
        let root = clone.path().canonicalize().unwrap();
        let folder = root.join(FOLDER);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::create_dir_all(root.join("plugins")).unwrap();
        std::fs::write(folder.join("Cargo.toml"), "[package]\nname = \"callboard-sdk\"\n").unwrap();
        let path = format!("{{ path = \"{}\" }}", folder.display());
        let check = |asked: Option<&Path>, near: &Path, expected: &str| {
            let found = Sdk::find(asked.map(|asked| asked.to_str().unwrap()), near);
            let found = found.map_or_else(|error| error.to_string(), |sdk| sdk.dependency());
            assert!(found.contains(expected), "{found} should contain {expected}");
        };
        check(Some(&root), Path::new("."), &path);
        check(Some(&folder), Path::new("."), &path);
        check(None, &root.join("plugins"), &path);
        check(Some(&root.join("plugins")), &root, "--sdk");
        check(Some(Path::new("https://example.com/c.git")), &root, "{ git = \"https://example.com/c.git\" }");
    }
}
