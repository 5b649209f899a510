//! How much is in a workspace, and whether more fits.

use std::path::PathBuf;

use cap_std::fs::Dir;

use crate::bindings::types::Error;
use crate::limits::Limits;

/// What is in the folder, at any depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Of files, as they say of themselves: a hole costs as much as what would fill it.
    pub(super) bytes: u64,
    /// Files, folders and all else.
    pub(super) entries: u64,
}

impl Usage {
    /// Counts what is there, and gives up where that is more than there may be: nothing can be added anyway.
    pub(super) fn measure(dir: &Dir, limits: &Limits) -> Result<Usage, Error> {
        let unreadable = |error: std::io::Error| {
            tracing::warn!(%error, "a workspace cannot be measured");
            Error::Unavailable("the workspace cannot be read at the moment".to_owned())
        };
        let mut usage = Usage::default();
        // A stack of our own: how deep an earlier step made the folder is not up to us.
        let mut open = vec![PathBuf::from(".")];
        while let Some(folder) = open.pop() {
            for entry in dir.read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                let kind = entry.file_type().map_err(unreadable)?;
                usage.entries += 1;
                if kind.is_dir() {
                    open.push(folder.join(entry.file_name()));
                } else if kind.is_file() {
                    usage.bytes = usage.bytes.saturating_add(entry.metadata().map_err(unreadable)?.len());
                }
                usage.check(limits)?;
            }
        }
        Ok(usage)
    }

    /// With a file of `before` bytes grown or shrunk to `after`, and so many entries more.
    pub(super) fn with(self, limits: &Limits, before: u64, after: u64, entries: u64) -> Result<Usage, Error> {
        let most = limits.workspace_file_bytes as u64;
        if after > most && after > before {
            return Err(Error::TooLarge(format!("a file of {after} bytes; in a workspace it may have at most {most}")));
        }
        let bytes = self.bytes.saturating_sub(before).saturating_add(after);
        let usage = Usage { bytes, entries: self.entries.saturating_add(entries) };
        if usage.bytes > self.bytes || usage.entries > self.entries {
            usage.check(limits)?;
        }
        Ok(usage)
    }

    /// Without one entry that has so many bytes.
    pub(super) fn without(self, bytes: u64) -> Usage {
        Usage { bytes: self.bytes.saturating_sub(bytes), entries: self.entries.saturating_sub(1) }
    }

    fn check(self, limits: &Limits) -> Result<(), Error> {
        let (bytes, entries) = (limits.workspace_bytes, limits.workspace_entries);
        if self.entries > entries as u64 {
            return Err(Error::TooLarge(format!("a workspace may have at most {entries} files and folders")));
        }
        if self.bytes > bytes as u64 {
            return Err(Error::TooLarge(format!("the files of a workspace may have at most {bytes} bytes together")));
        }
        Ok(())
    }
}
