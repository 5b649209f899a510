//! The folder of a scaffolder task's attempt (`callboard:host/workspace`). Only the run of an
//! [action](crate::ScaffolderActions) has one; in all other calls every function answers [`Error::Denied`].
//!
//! ```no_run
//! use callboard_sdk::{workspace, Error};
//!
//! /// Every shell script of the project may be executed.
//! fn make_executable() -> Result<(), Error> {
//!     for entry in workspace::list_all(".", true)? {
//!         if entry.path.ends_with(".sh") {
//!             workspace::set_executable(&entry.path, true)?;
//!         }
//!     }
//!     workspace::write("README.md", b"# A service\n")
//! }
//! # make_executable().unwrap();
//! ```
//!
//! Paths are relative to the folder, with `/` between their parts, at most 1,024 bytes long and 32 parts deep; `.` is the
//! folder itself. One that is absolute, has `..`, or leads through a symbolic link is refused. The files have at most
//! 512 MiB together and 100 MiB each, and there are at most 50,000 files and folders, unless the operator says otherwise.

use crate::Error;
use crate::bindings::host::workspace;

pub use workspace::{Entry, Kind, Listing};

/// What goes over at once: the host reads 1 MiB, and takes 4 MiB.
const READ: u32 = 1024 * 1024;
const WRITTEN: usize = 4 * 1024 * 1024;

/// What is at a path; none where nothing is.
///
/// # Errors
/// There is no workspace, the right is missing, or the path leads elsewhere. That holds for all functions here.
pub fn stat(path: &str) -> Result<Option<Entry>, Error> {
    Ok(workspace::stat(path)?)
}

/// Up to 1,000 entries of a folder in the order of their names, after `after`, which is [`Listing::next`] of the listing
/// before. With `recursive` also what is in the folders below.
///
/// # Errors
/// As [`stat`], and where there is no such folder.
pub fn list(folder: &str, recursive: bool, after: Option<&str>) -> Result<Listing, Error> {
    Ok(workspace::list(folder, recursive, after)?)
}

/// All entries of a folder.
///
/// # Errors
/// As [`list`].
pub fn list_all(folder: &str, recursive: bool) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let page = list(folder, recursive, after.as_deref())?;
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return Ok(entries);
        }
    }
}

/// A whole file, where it has at most `limit` bytes.
///
/// # Errors
/// As [`stat`], where there is no such file, and where it is larger.
pub fn read(path: &str, limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    loop {
        let part = read_part(path, bytes.len() as u64, READ)?;
        if part.is_empty() {
            return Ok(bytes);
        }
        if bytes.len() + part.len() > limit {
            return Err(Error::TooLarge(format!("{path} has more than {limit} bytes")));
        }
        bytes.extend(part);
    }
}

/// Up to `length` bytes of a file, at most 1 MiB, from `offset` on; none behind its end.
///
/// # Errors
/// As [`stat`], and where there is no such file.
pub fn read_part(path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    Ok(workspace::read(path, offset, length)?)
}

/// Makes a file of these bytes, whether or not it was there, and the folders above it. What has more than 4 MiB goes in
/// parts.
///
/// # Errors
/// As [`stat`], and where the workspace would become larger than it may.
pub fn write(path: &str, bytes: &[u8]) -> Result<(), Error> {
    let mut parts = bytes.chunks(WRITTEN);
    workspace::write(path, parts.next().unwrap_or_default())?;
    parts.try_for_each(|part| append(path, part))
}

/// Adds bytes, at most 4 MiB, to the end of a file that is there.
///
/// # Errors
/// As [`write`], and where there is no such file.
pub fn append(path: &str, bytes: &[u8]) -> Result<(), Error> {
    Ok(workspace::append(path, bytes)?)
}

/// Makes a folder and those above it. That it was there is no error.
///
/// # Errors
/// As [`write`].
pub fn create_folder(path: &str) -> Result<(), Error> {
    Ok(workspace::create_folder(path)?)
}

/// Removes a file, a link, or a folder with all that is in it.
///
/// # Errors
/// As [`stat`], and where nothing is there.
pub fn remove(path: &str) -> Result<(), Error> {
    Ok(workspace::remove(path)?)
}

/// Gives a file or a folder another path, at which nothing may be.
///
/// # Errors
/// As [`write`], and where something is there.
pub fn rename(from: &str, to: &str) -> Result<(), Error> {
    Ok(workspace::rename(from, to)?)
}

/// Makes a copy of a file at a path at which nothing may be.
///
/// # Errors
/// As [`rename`].
pub fn copy(from: &str, to: &str) -> Result<(), Error> {
    Ok(workspace::copy(from, to)?)
}

/// Says whether a file may be executed.
///
/// # Errors
/// As [`stat`], and where there is no such file.
pub fn set_executable(path: &str, executable: bool) -> Result<(), Error> {
    Ok(workspace::set_executable(path, executable)?)
}
