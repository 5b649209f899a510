//! What is in a folder, page by page, in an order that does not change between pages.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;

use super::entry;
use super::path::Checked;
use crate::bindings::workspace::Entry;
use crate::limits::WORKSPACE_DEPTH;

/// The first `most` entries of a folder after a path, in the order of their names; with `recursive` each folder before
/// what is in it. Names that are not UTF-8 are not there for a guest, and no link is followed.
pub(super) fn list(
    dir: &Dir,
    folder: &Checked,
    recursive: bool,
    after: Option<&Checked>,
    most: usize,
) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    // Folders and what of them is still to come, the next one at the end.
    let mut open = vec![names(dir, folder, after)?];
    let mut at = vec![folder.clone()];
    while found.len() < most {
        let (Some(rest), Some(above)) = (open.last_mut(), at.last()) else { break };
        let Some(name) = rest.pop() else {
            open.pop();
            at.pop();
            continue;
        };
        let path = above.joined(&name);
        // Between the listing and the question it may have gone.
        let Ok(metadata) = dir.symlink_metadata(path.path()) else { continue };
        let is_folder = metadata.is_dir();
        let is_new = after.is_none_or(|after| path > *after);
        if is_new {
            found.push(entry(path.text(), &metadata));
        }
        if recursive && is_folder && path.len() < WORKSPACE_DEPTH {
            open.push(names(dir, &path, after)?);
            at.push(path);
        }
    }
    Ok(found)
}

/// The names in a folder, the first one last, without those of which nothing can be after a path.
fn names(dir: &Dir, folder: &Checked, after: Option<&Checked>) -> io::Result<Vec<String>> {
    let from = after.filter(|after| after.is_below(folder)).and_then(|after| after.part(folder.len()));
    let mut names = Vec::new();
    for entry in dir.read_dir(folder.path())? {
        if let Ok(name) = entry?.file_name().into_string()
            && from.is_none_or(|from| name.as_str() >= from)
        {
            names.push(name);
        }
    }
    names.sort_unstable_by(|left, right| right.cmp(left));
    Ok(names)
}

/// Removes a folder with all that is in it, without a stack that grows with it.
pub(super) fn remove(dir: &Dir, folder: &Path) -> io::Result<()> {
    let mut open = vec![(folder.to_owned(), false)];
    while let Some((folder, is_empty)) = open.pop() {
        if is_empty {
            dir.remove_dir(&folder)?;
            continue;
        }
        open.push((folder.clone(), true));
        for entry in dir.read_dir(&folder)? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push((path, false));
            } else {
                dir.remove_file(&path)?;
            }
        }
    }
    Ok(())
}

/// Whether anything in a folder is more than so many folders down.
pub(super) fn is_deeper(dir: &Dir, folder: &Path, room: usize) -> io::Result<bool> {
    let mut open: Vec<(PathBuf, usize)> = vec![(folder.to_owned(), room)];
    while let Some((folder, room)) = open.pop() {
        for entry in dir.read_dir(&folder)? {
            let entry = entry?;
            let Some(room) = room.checked_sub(1) else { return Ok(true) };
            if entry.file_type()?.is_dir() {
                open.push((folder.join(entry.file_name()), room));
            }
        }
    }
    Ok(false)
}
