//! The folder of a scaffolder task's attempt, as an action of a plugin may use it.
//!
//! Three things keep a guest inside. Its paths are taken apart here, and one that could lead elsewhere is refused for how it
//! is written. No symbolic link is followed, so that what an earlier step unpacked leads nowhere. And all of it goes
//! through a handle of the folder, beneath which the kernel resolves each path, so that a link that is put there in between
//! ends in an error. No path of the host's crosses in either direction.

mod path;
mod usage;
mod walk;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions, PermissionsExt};

use crate::bindings::types::Error;
use crate::bindings::workspace::{Entry, Kind, Listing};
use crate::limits::{self, Limits};
use crate::workspace::path::{Checked, shown};
use crate::workspace::usage::Usage;

/// The folder of a task's attempt. Whoever makes one decides which folder that is, and removes it in the end.
#[derive(Debug)]
pub struct Workspace {
    dir: Dir,
    /// How much there is; none where somebody else may have changed that. Held while anything is changed, so that what a
    /// call that was given up has still under way is over before the next one begins.
    usage: Mutex<Option<Usage>>,
}

/// What is at a path.
enum At {
    /// Nothing, and so many folders above it are not there either.
    Nothing {
        missing: u64,
    },
    Something(Metadata),
}

impl Workspace {
    /// Opens a folder that is there.
    ///
    /// # Errors
    /// It is no folder, or may not be read.
    pub fn open(folder: &Path) -> io::Result<Workspace> {
        Ok(Workspace { dir: Dir::open_ambient_dir(folder, ambient_authority())?, usage: Mutex::new(None) })
    }

    /// Others may have written to the folder: how much there is, is found out anew.
    pub(crate) fn forget_usage(&self) {
        *self.lock() = None;
    }

    pub(crate) fn stat(&self, path: &str) -> Result<Option<Entry>, Error> {
        let path = Checked::read(path)?;
        Ok(match self.look(&path)? {
            At::Nothing { .. } => None,
            At::Something(found) => Some(entry(path.text(), &found)),
        })
    }

    pub(crate) fn list(&self, folder: &str, recursive: bool, after: Option<&str>) -> Result<Listing, Error> {
        let folder = Checked::read(folder)?;
        let after = after.map(Checked::read).transpose()?;
        match self.look(&folder)? {
            At::Something(found) if found.is_dir() => {}
            At::Something(found) if found.is_symlink() => return Err(link(&folder)),
            At::Something(_) => return Err(Error::Invalid(format!("`{folder}` is no folder"))),
            At::Nothing { .. } => return Err(nothing(&folder)),
        }
        let mut entries = walk::list(&self.dir, &folder, recursive, after.as_ref(), limits::WORKSPACE_LISTING + 1)
            .map_err(|error| told(&folder, &error))?;
        let is_last = entries.len() <= limits::WORKSPACE_LISTING;
        entries.truncate(limits::WORKSPACE_LISTING);
        let next = entries.last().filter(|_| !is_last).map(|entry| entry.path.clone());
        Ok(Listing { entries, next })
    }

    pub(crate) fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
        let path = Checked::read(path)?;
        self.file(&path)?;
        let length = u64::from(length).min(limits::WORKSPACE_PART_BYTES as u64);
        let mut bytes = Vec::new();
        let read = self.dir.open(path.path()).and_then(|mut file| {
            file.seek(SeekFrom::Start(offset))?;
            file.take(length).read_to_end(&mut bytes)
        });
        read.map_err(|error| told(&path, &error))?;
        Ok(bytes)
    }

    pub(crate) fn write(&self, limits: &Limits, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = Checked::read(path)?;
        check_part(bytes)?;
        let mut lock = self.lock();
        let found = self.look(&path)?;
        let (before, missing) = match &found {
            At::Something(found) if found.is_file() => (found.len(), 0),
            At::Something(found) => return Err(no_file(&path, found)),
            At::Nothing { missing } => (0, missing + 1),
        };
        let usage = self.usage(&mut lock, limits)?;
        let after = usage.with(limits, before, bytes.len() as u64, missing)?;
        let written = self.parents(&path, missing).and_then(|()| {
            // A second name of the same file may be outside of the folder, so this one is taken away first.
            if matches!(&found, At::Something(found) if found.nlink() > 1) {
                self.dir.remove_file(path.path())?;
            }
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            self.dir.open_with(path.path(), &options)?.write_all(bytes)
        });
        settle(&mut lock, &path, after, written)
    }

    pub(crate) fn append(&self, limits: &Limits, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = Checked::read(path)?;
        check_part(bytes)?;
        let mut lock = self.lock();
        let found = self.file(&path)?;
        if found.nlink() > 1 {
            return Err(Error::Denied(format!("`{path}` has another name elsewhere; write it anew")));
        }
        let usage = self.usage(&mut lock, limits)?;
        let after = usage.with(limits, found.len(), found.len().saturating_add(bytes.len() as u64), 0)?;
        let mut options = OpenOptions::new();
        options.append(true);
        let written = self.dir.open_with(path.path(), &options).and_then(|mut file| file.write_all(bytes));
        settle(&mut lock, &path, after, written)
    }

    pub(crate) fn create_folder(&self, limits: &Limits, path: &str) -> Result<(), Error> {
        let path = Checked::read(path)?;
        let mut lock = self.lock();
        let missing = match self.look(&path)? {
            At::Something(found) if found.is_dir() => return Ok(()),
            At::Something(_) => return Err(Error::Invalid(format!("`{path}` is there already, and is no folder"))),
            At::Nothing { missing } => missing + 1,
        };
        let after = self.usage(&mut lock, limits)?.with(limits, 0, 0, missing)?;
        let made = self.dir.create_dir_all(path.path());
        settle(&mut lock, &path, after, made)
    }

    pub(crate) fn remove(&self, path: &str) -> Result<(), Error> {
        let path = Checked::read_below(path)?;
        let mut lock = self.lock();
        let At::Something(found) = self.look(&path)? else { return Err(nothing(&path)) };
        let removed = match found.is_dir() {
            true => walk::remove(&self.dir, path.path()),
            false => self.dir.remove_file(path.path()),
        };
        // How much went with a folder is not worth a walk of its own.
        *lock = lock.take().filter(|_| !found.is_dir()).map(|usage| usage.without(size(&found)));
        removed.map_err(|error| told(&path, &error))
    }

    pub(crate) fn rename(&self, limits: &Limits, from: &str, to: &str) -> Result<(), Error> {
        let (from, to) = (Checked::read_below(from)?, Checked::read_below(to)?);
        let mut lock = self.lock();
        let At::Something(found) = self.look(&from)? else { return Err(nothing(&from)) };
        let missing = self.free(&to)?;
        if to.is_below(&from) {
            return Err(Error::Invalid(format!("`{to}` is in `{from}` itself")));
        }
        // Folders that are put into each other would become deeper than any path may be.
        let room = limits::WORKSPACE_DEPTH.saturating_sub(to.len());
        if found.is_dir() && walk::is_deeper(&self.dir, from.path(), room).map_err(|error| told(&from, &error))? {
            let most = limits::WORKSPACE_DEPTH;
            return Err(Error::TooLarge(format!(
                "in `{to}`, what is in `{from}` would have paths of more than {most} parts"
            )));
        }
        let after = self.usage(&mut lock, limits)?.with(limits, 0, 0, missing)?;
        let renamed = self.parents(&to, missing).and_then(|()| self.dir.rename(from.path(), &self.dir, to.path()));
        settle(&mut lock, &to, after, renamed)
    }

    pub(crate) fn copy(&self, limits: &Limits, from: &str, to: &str) -> Result<(), Error> {
        let (from, to) = (Checked::read_below(from)?, Checked::read_below(to)?);
        let mut lock = self.lock();
        let found = self.file(&from)?;
        let missing = self.free(&to)?;
        let after = self.usage(&mut lock, limits)?.with(limits, 0, found.len(), missing + 1)?;
        let copied = self.parents(&to, missing).and_then(|()| self.dir.copy(from.path(), &self.dir, to.path()));
        settle(&mut lock, &to, after, copied.map(drop))
    }

    pub(crate) fn set_executable(&self, path: &str, executable: bool) -> Result<(), Error> {
        let path = Checked::read(path)?;
        let found = self.file(&path)?;
        if found.nlink() > 1 {
            return Err(Error::Denied(format!("`{path}` has another name elsewhere; write it anew")));
        }
        let mut permissions = found.permissions();
        let mode = permissions.mode() & !0o7111;
        permissions.set_mode(if executable { mode | 0o111 } else { mode });
        self.dir
            .open(path.path())
            .and_then(|file: File| file.set_permissions(permissions))
            .map_err(|error| told(&path, &error))
    }

    /// What is at a path, of which no part is a symbolic link, but perhaps the last.
    fn look(&self, path: &Checked) -> Result<At, Error> {
        let mut found = self.dir.dir_metadata().map_err(|error| told(path, &error))?;
        let (mut above, mut missing) = (Checked::default(), path.len() as u64);
        for part in path.parts() {
            if found.is_symlink() {
                return Err(link(&above));
            }
            if !found.is_dir() {
                return Err(Error::Invalid(format!("`{above}` is no folder")));
            }
            above.push(part);
            missing -= 1;
            found = match self.dir.symlink_metadata(above.path()) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(At::Nothing { missing }),
                Err(error) => return Err(told(&above, &error)),
            };
        }
        Ok(At::Something(found))
    }

    /// A file that is there.
    fn file(&self, path: &Checked) -> Result<Metadata, Error> {
        match self.look(path)? {
            At::Something(found) if found.is_file() => Ok(found),
            At::Something(found) => Err(no_file(path, &found)),
            At::Nothing { .. } => Err(nothing(path)),
        }
    }

    /// How many folders above a path are to be made, at which nothing is.
    fn free(&self, path: &Checked) -> Result<u64, Error> {
        match self.look(path)? {
            At::Something(_) => Err(Error::Invalid(format!("`{path}` is there already; remove it first"))),
            At::Nothing { missing } => Ok(missing),
        }
    }

    fn parents(&self, path: &Checked, missing: u64) -> io::Result<()> {
        match path.path().parent() {
            Some(parent) if missing > 0 && !parent.as_os_str().is_empty() => self.dir.create_dir_all(parent),
            _ => Ok(()),
        }
    }

    fn usage(&self, lock: &mut Option<Usage>, limits: &Limits) -> Result<Usage, Error> {
        match lock {
            Some(usage) => Ok(*usage),
            None => {
                let usage = Usage::measure(&self.dir, limits)?;
                *lock = Some(usage);
                Ok(usage)
            }
        }
    }

    /// A panic while the lock is held leaves what the next call measures anew.
    fn lock(&self) -> MutexGuard<'_, Option<Usage>> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is there after a change; after one that failed on its way, nobody knows.
fn settle(lock: &mut Option<Usage>, path: &Checked, after: Usage, done: io::Result<()>) -> Result<(), Error> {
    *lock = done.is_ok().then_some(after);
    done.map_err(|error| told(path, &error))
}

fn check_part(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > limits::BATCH_BYTES {
        let message =
            format!("{} bytes at once; at most {} go together, then append", bytes.len(), limits::BATCH_BYTES);
        return Err(Error::TooLarge(message));
    }
    Ok(())
}

fn size(found: &Metadata) -> u64 {
    if found.is_file() { found.len() } else { 0 }
}

fn entry(path: String, found: &Metadata) -> Entry {
    let kind = match () {
        () if found.is_symlink() => Kind::Link,
        () if found.is_dir() => Kind::Folder,
        () if found.is_file() => Kind::File,
        () => Kind::Other,
    };
    Entry { path, kind, size: size(found), executable: found.is_file() && found.mode() & 0o111 != 0 }
}

fn link(path: &Checked) -> Error {
    Error::Denied(format!("`{path}` is a symbolic link, and none is followed"))
}

fn no_file(path: &Checked, found: &Metadata) -> Error {
    if found.is_symlink() { link(path) } else { Error::Invalid(format!("`{path}` is no file")) }
}

fn nothing(path: &Checked) -> Error {
    Error::NotFound(format!("there is no `{path}` in the workspace"))
}

/// The guest learns of its own mistakes, and never where the folder is; what is wrong with the disk is the operator's.
fn told(path: &Checked, error: &io::Error) -> Error {
    use io::ErrorKind::{
        AlreadyExists, DirectoryNotEmpty, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound,
        PermissionDenied, QuotaExceeded, StorageFull,
    };
    match error.kind() {
        NotFound => nothing(path),
        PermissionDenied => Error::Denied(format!("`{path}` leads out of the workspace, or may not be used")),
        AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory | InvalidFilename | InvalidInput => {
            Error::Invalid(format!("`{path}`: {}", error.kind()))
        }
        StorageFull | QuotaExceeded => Error::Unavailable("the portal has no more room for workspaces".to_owned()),
        _ => {
            tracing::warn!(path = %shown(&path.text()), %error, "a workspace cannot be used");
            Error::Unavailable(format!("`{path}` cannot be used at the moment"))
        }
    }
}

#[cfg(test)]
mod tests;
