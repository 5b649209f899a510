//! Files, as far as the operator opened the disk to the catalog.
//!
//! What the configuration names may be read, and what lies below its folder. Everything below is opened relative to
//! that folder by handles that cannot leave it, neither by `..` nor by a symbolic link, whatever changes meanwhile.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use callboard_model::stable_json::sha1_hex_of;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::limits::FILE_BYTES;

mod glob;

/// What may be read.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    base: PathBuf,
    folders: BTreeSet<PathBuf>,
    /// Files that the operator named one by one. They may be links to anywhere.
    named: BTreeSet<PathBuf>,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    #[error("file {0} does not exist")]
    NotFound(String),
    #[error(
        "file {0} is outside of the folders that the catalog may read. Only what lies below the folder of a file location \
         in catalog.locations may be named; move the file there, or add a location for it to app-config"
    )]
    Outside(String),
    #[error("file {0} is larger than {FILE_BYTES} bytes")]
    TooLarge(String),
    #[error("file {path} could not be read: {reason}")]
    Failed { path: String, reason: String },
    #[error("the pattern {pattern} {reason}")]
    Pattern { pattern: String, reason: String },
}

/// A file's content, with what tells whether it changed.
pub(crate) struct FileContent {
    pub(crate) body: Vec<u8>,
    pub(crate) stamp: String,
}

impl Files {
    /// What the targets of configured `file` locations open.
    pub(crate) fn new<'a>(base: &Path, targets: impl IntoIterator<Item = &'a str>) -> Files {
        let base = normalised(&std::path::absolute(base).unwrap_or_else(|_| base.to_owned()));
        let mut files = Files { base, folders: BTreeSet::new(), named: BTreeSet::new() };
        for target in targets {
            let path = files.absolute(target);
            files.folders.insert(glob::fixed_part(&path));
            if !glob::is_pattern(&path) {
                files.named.insert(path);
            }
        }
        files
    }

    /// A target as an absolute path, without `.` and `..`.
    pub(crate) fn absolute(&self, target: &str) -> PathBuf {
        normalised(&self.base.join(target))
    }

    /// The content of a file. Blocks.
    pub(crate) fn read(&self, path: &Path) -> Result<FileContent, FileError> {
        let name = || path.display().to_string();
        let (metadata, open) = self.locate(path)?;
        if !metadata.is_file {
            return Err(FileError::Failed { path: name(), reason: "it is not a file".to_owned() });
        }
        let mut body = Vec::new();
        let limit = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX);
        // The stamp is older than the content: a change in between is found by the next look.
        open()
            .and_then(|mut file| file.by_ref().take(limit.saturating_add(1)).read_to_end(&mut body))
            .map_err(|error| failed(path, &error))?;
        if body.len() > FILE_BYTES {
            return Err(FileError::TooLarge(name()));
        }
        Ok(FileContent { body, stamp: metadata.stamp })
    }

    /// What a path or a pattern stands for. A path without a file is an error, a pattern without one is none. Blocks.
    pub(crate) fn expand(&self, path: &Path) -> Result<Vec<PathBuf>, FileError> {
        // A file may have a bracket in its name.
        if !glob::is_pattern(path) || self.locate(path).is_ok_and(|(metadata, _)| metadata.is_file) {
            return Ok(vec![path.to_owned()]);
        }
        let fixed = glob::fixed_part(path);
        let (folder, below) = self.folder_of(&fixed)?;
        glob::matches(&folder, below, path)
    }

    /// Whether a path is one of those that another stands for, by their names alone.
    pub(crate) fn stands_for(&self, path: &Path, other: &Path) -> bool {
        path == other || (glob::is_pattern(path) && glob::matcher(path).is_ok_and(|matcher| matcher.is_match(other)))
    }

    /// What tells whether anything changed that a path or pattern stands for. Blocks.
    pub(crate) fn stamp(&self, path: &Path) -> String {
        match self.expand(path) {
            Ok(paths) if paths.first().is_some_and(|first| first != path) || paths.len() != 1 => {
                let mut text = String::new();
                for path in paths {
                    text.push_str(&format!("{}\0{}\n", path.display(), self.stamp_of_file(&path)));
                }
                sha1_hex_of(text.as_bytes())
            }
            Ok(_) => self.stamp_of_file(path),
            Err(error) => error.to_string(),
        }
    }

    fn stamp_of_file(&self, path: &Path) -> String {
        self.locate(path).map_or_else(|error| error.to_string(), |(metadata, _)| metadata.stamp)
    }

    #[expect(clippy::type_complexity, reason = "a name for the pair would be longer than its two uses")]
    fn locate(&self, path: &Path) -> Result<(Facts, Box<dyn FnOnce() -> io::Result<Box<dyn io::Read>>>), FileError> {
        if self.named.contains(path) {
            let metadata = std::fs::metadata(path).map_err(|error| failed(path, &error))?;
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let facts = Facts::new(metadata.is_file(), modified.map(|time| time.as_nanos()), metadata.len());
            let path = path.to_owned();
            return Ok((facts, Box::new(move || Ok(Box::new(std::fs::File::open(path)?) as Box<dyn io::Read>))));
        }
        let (folder, below) = self.folder_of(path)?;
        let dir = Dir::open_ambient_dir(&folder, ambient_authority()).map_err(|error| failed(path, &error))?;
        let below = below.to_owned();
        let metadata = dir.metadata(&below).map_err(|error| failed(path, &error))?;
        let modified = metadata.modified().ok().and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
        let facts = Facts::new(metadata.is_file(), modified.map(|time| time.as_nanos()), metadata.len());
        Ok((facts, Box::new(move || Ok(Box::new(dir.open(below)?) as Box<dyn io::Read>))))
    }

    /// The opened folder that a path lies in, and the rest of the path.
    fn folder_of<'a>(&self, path: &'a Path) -> Result<(PathBuf, &'a Path), FileError> {
        // Folders come in order, so that the last one that fits is the innermost.
        self.folders
            .iter()
            .rev()
            .find_map(|folder| path.strip_prefix(folder).ok().map(|below| (folder.clone(), below)))
            .ok_or_else(|| FileError::Outside(path.display().to_string()))
    }
}

struct Facts {
    is_file: bool,
    stamp: String,
}

impl Facts {
    fn new(is_file: bool, modified: Option<u128>, bytes: u64) -> Facts {
        Facts { is_file, stamp: format!("{}-{bytes}", modified.unwrap_or_default()) }
    }
}

fn failed(path: &Path, error: &io::Error) -> FileError {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::NotFound(path),
        // The way out of the folder that a link takes.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => FileError::Outside(path),
        _ => FileError::Failed { path, reason: error.to_string() },
    }
}

/// Without `.` and `..`, by the text alone.
pub(crate) fn normalised(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_below_configured_folders() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("open/apis")).unwrap();
        std::fs::create_dir_all(path("closed")).unwrap();
        for name in ["open/all.yaml", "open/apis/a.yaml", "closed/secret.yaml", "beside.yaml"] {
            std::fs::write(path(name), name).unwrap();
        }
        std::os::unix::fs::symlink(path("closed/secret.yaml"), path("open/absolute-link.yaml")).unwrap();
        std::os::unix::fs::symlink("../closed/secret.yaml", path("open/link.yaml")).unwrap();
        std::os::unix::fs::symlink("../closed", path("open/folder")).unwrap();
        std::os::unix::fs::symlink("apis/a.yaml", path("open/inner.yaml")).unwrap();
        std::os::unix::fs::symlink(path("closed/secret.yaml"), path("named.yaml")).unwrap();
        let files = Files::new(root.path(), ["open/all.yaml"]);
        let check = |files: &Files, target: &str, expected: Result<&str, fn(&FileError) -> bool>| {
            let found = files.read(&files.absolute(target)).map(|content| String::from_utf8(content.body).unwrap());
            match expected {
                Ok(body) => assert_eq!(found.as_deref(), Ok(body), "{target}"),
                Err(is) => assert!(found.as_ref().is_err_and(is), "{target}: {found:?}"),
            }
        };
        let outside = |error: &FileError| matches!(error, FileError::Outside(_));
        let missing = |error: &FileError| matches!(error, FileError::NotFound(_));
        check(&files, "open/all.yaml", Ok("open/all.yaml"));
        check(&files, "./open/apis/../apis/a.yaml", Ok("open/apis/a.yaml"));
        check(&files, "open/inner.yaml", Ok("open/apis/a.yaml"));
        check(&files, "open/none.yaml", Err(missing));
        check(&files, "beside.yaml", Err(outside));
        check(&files, "open/../closed/secret.yaml", Err(outside));
        check(&files, "open/folder/secret.yaml", Err(outside));
        check(&files, "open/link.yaml", Err(outside));
        check(&files, "open/absolute-link.yaml", Err(outside));
        check(&files, "/etc/hostname", Err(outside));
        check(&files, "open/apis", Err(|error| matches!(error, FileError::Failed { .. })));
        // What the operator names himself may be a link.
        check(&Files::new(root.path(), ["named.yaml"]), "named.yaml", Ok("closed/secret.yaml"));
    }

    #[test]
    fn patterns() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a.yaml", "b.yml", "x/c.yaml", "x/y/d.yaml", ".git/e.yaml", "x/[f].yaml"] {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let check = |target: &str, expected: &[&str]| {
            let files = Files::new(root.path(), [target]);
            let found = files.expand(&files.absolute(target)).unwrap();
            let found: Vec<_> =
                found.iter().map(|path| path.strip_prefix(root.path()).unwrap().to_str().unwrap()).collect();
            assert_eq!(found, expected, "{target}");
        };
        check("*.yaml", &["a.yaml"]);
        check("**/*.yaml", &["a.yaml", "x/[f].yaml", "x/c.yaml", "x/y/d.yaml"]);
        check("./{a,b}.{yaml,yml}", &["a.yaml", "b.yml"]);
        check("x/*/d.yaml", &["x/y/d.yaml"]);
        check("x/[f].yaml", &["x/[f].yaml"]);
        check(".git/*.yaml", &[".git/e.yaml"]);
        check("none/*.yaml", &[]);
    }
}
