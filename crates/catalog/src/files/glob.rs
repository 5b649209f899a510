//! Patterns over folders.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use globset::{GlobBuilder, GlobMatcher};

use super::FileError;
use crate::limits::{GLOB_DEPTH, GLOB_ENTRIES};

/// Whether a path stands for many.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.components().any(|component| is_pattern_part(component.as_os_str()))
}

/// The folder of a path, or of the part of a pattern before its first wildcard.
pub(super) fn fixed_part(path: &Path) -> PathBuf {
    if !is_pattern(path) {
        return path.parent().unwrap_or(path).to_owned();
    }
    path.components().take_while(|component| !is_pattern_part(component.as_os_str())).collect()
}

/// The files below `folder` and then `below` that a pattern stands for, in order. Links to folders are not followed, and
/// hidden folders only where the pattern names them.
pub(super) fn matches(folder: &Path, below: &Path, pattern: &Path) -> Result<Vec<PathBuf>, FileError> {
    let fail = |reason: String| FileError::Pattern { pattern: pattern.display().to_string(), reason };
    let matcher = matcher(pattern).map_err(fail)?;
    // A folder that is not there yet holds nothing.
    let Ok(dir) = Dir::open_ambient_dir(folder, ambient_authority()) else { return Ok(Vec::new()) };
    let dir = if below.as_os_str().is_empty() { Some(dir) } else { dir.open_dir(below).ok() };
    let Some(dir) = dir else { return Ok(Vec::new()) };
    let mut walk = Walk { matcher, seen: 0, found: Vec::new() };
    walk.folder(&dir, &folder.join(below), 0).map_err(fail)?;
    walk.found.sort();
    Ok(walk.found)
}

/// Says what is wrong where the path is no pattern.
pub(super) fn matcher(pattern: &Path) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(&pattern.display().to_string()).literal_separator(true).build();
    Ok(glob.map_err(|error| format!("is not one: {}", error.kind()))?.compile_matcher())
}

struct Walk {
    matcher: GlobMatcher,
    seen: usize,
    found: Vec<PathBuf>,
}

impl Walk {
    fn folder(&mut self, dir: &Dir, path: &Path, depth: usize) -> Result<(), String> {
        if depth > GLOB_DEPTH {
            return Err(format!("leads more than {GLOB_DEPTH} folders deep, at {}", path.display()));
        }
        let entries = dir.entries().map_err(|error| format!("cannot look into {}: {error}", path.display()))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("cannot look into {}: {error}", path.display()))?;
            self.seen += 1;
            if self.seen > GLOB_ENTRIES {
                return Err(format!("looks at more than {GLOB_ENTRIES} files; begin it in a smaller folder"));
            }
            let name = entry.file_name();
            let child = path.join(&name);
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if !is_hidden(&name)
                    && let Ok(below) = entry.open_dir()
                {
                    self.folder(&below, &child, depth + 1)?;
                }
            } else if self.matcher.is_match(&child) && dir.metadata(&name).is_ok_and(|metadata| metadata.is_file()) {
                self.found.push(child);
            }
        }
        Ok(())
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

fn is_pattern_part(part: &OsStr) -> bool {
    // A root is never a pattern.
    Path::new(part).components().all(|component| matches!(component, Component::Normal(_)))
        && part.as_encoded_bytes().iter().any(|byte| b"*?[{".contains(byte))
}
