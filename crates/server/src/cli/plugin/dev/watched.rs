//! What a plugin is made of, and when it changes.
//!
//! Cargo writes down which files it read for the component, those of the crates beside it included: these are looked at
//! again and again. They are few, so that this costs next to nothing, and no editor's way to save a file, no container's
//! file system and no limit of watches gets in the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Deeper no source is looked for before cargo has said what it reads.
const DEPTH: usize = 16;

/// When a file was written, and how long it is; none where it is not there.
type State = Option<(SystemTime, u64)>;

/// The files of a plugin, as they were when they were last looked at.
pub(super) struct Watched {
    folder: PathBuf,
    /// Cargo's list, once it has built the plugin.
    dependencies: Option<PathBuf>,
    more: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, State>,
}

impl Watched {
    pub(super) fn new(folder: &Path) -> Watched {
        let mut watched =
            Watched { folder: folder.to_owned(), dependencies: None, more: Vec::new(), seen: BTreeMap::new() };
        watched.look();
        watched
    }

    /// From now on, what this component was made of counts, too.
    pub(super) fn follow(&mut self, component: &Path) {
        self.dependencies = Some(component.with_extension("d"));
        self.add();
    }

    /// From now on, these files count, too.
    pub(super) fn also(&mut self, files: Vec<PathBuf>) {
        self.more = files;
        self.add();
    }

    fn add(&mut self) {
        for file in self.files() {
            // What was seen before the build stays as it was: it may have changed since.
            self.seen.entry(file.clone()).or_insert_with(|| state(&file));
        }
    }

    /// Waits until one of them changes, and says which.
    pub(super) async fn changed(&mut self) -> PathBuf {
        loop {
            if let Some(changed) = self.look() {
                return changed;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The first that is not as it was.
    fn look(&mut self) -> Option<PathBuf> {
        let now: BTreeMap<PathBuf, State> = self.files().into_iter().map(|file| (file.clone(), state(&file))).collect();
        let is_new = |(file, state): &(&PathBuf, &State)| self.seen.get(*file) != Some(state);
        let changed = now.iter().find(is_new).map(|(file, _)| file.clone());
        self.seen = now;
        changed
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.folder.join("Cargo.toml"), self.folder.join("plugin.yaml")];
        below(&self.folder.join("src"), DEPTH, &mut files);
        files.extend_from_slice(&self.more);
        let listed = self.dependencies.as_ref().and_then(|list| std::fs::read_to_string(list).ok());
        files.extend(listed.iter().flat_map(|list| read_list(list)));
        files.sort();
        files.dedup();
        files
    }
}

fn state(file: &Path) -> State {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => below(&path, depth, files),
            // What editors leave beside a file while it is open is none.
            false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            false => {}
        }
    }
}

/// The files in a list such as `/t/notes.wasm: /notes/src/lib.rs /a\ folder/plugin.yaml`.
fn read_list(list: &str) -> Vec<PathBuf> {
    let first = list.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, files)| files);
    let mut files = vec![String::new()];
    let mut characters = first.chars();
    while let Some(character) = characters.next() {
        match (character, files.last_mut()) {
            ('\\', Some(file)) => file.extend(characters.next()),
            (' ', _) => files.push(String::new()),
            (character, Some(file)) => file.push(character),
            (_, None) => {}
        }
    }
    files.into_iter().filter(|file| !file.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        for (list, files) in [
            ("", vec![]),
            ("/t/notes.wasm:\n", vec![]),
            (
                "/t/notes.wasm: /n/src/lib.rs /a\\ b/plugin.yaml\n/other: /x\n",
                vec!["/n/src/lib.rs", "/a b/plugin.yaml"],
            ),
        ] {
            assert_eq!(read_list(list), files.into_iter().map(PathBuf::from).collect::<Vec<_>>(), "{list}");
        }
    }

    #[tokio::test]
    async fn changes_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("src/deep")).unwrap();
        std::fs::write(path("src/lib.rs"), "one").unwrap();
        let mut watched = Watched::new(folder.path());
        assert_eq!(watched.look(), None);

        std::fs::write(path("src/lib.rs"), "two!").unwrap();
        assert_eq!(watched.changed().await, path("src/lib.rs"));
        std::fs::write(path("src/deep/new.rs"), "").unwrap();
        assert_eq!(watched.changed().await, path("src/deep/new.rs"));
        std::fs::write(path("src/.lib.rs.swp"), "").unwrap();
        assert_eq!(watched.look(), None);

        // What cargo says that it read, and what was saved while it did.
        std::fs::write(path("beside.txt"), "").unwrap();
        std::fs::write(path("notes.d"), format!("x: {}", path("beside.txt").display())).unwrap();
        std::fs::write(path("src/lib.rs"), "three").unwrap();
        watched.follow(&path("notes.wasm"));
        assert_eq!(watched.changed().await, path("src/lib.rs"));
        assert_eq!(watched.look(), None);
        std::fs::write(path("beside.txt"), "changed").unwrap();
        assert_eq!(watched.changed().await, path("beside.txt"));
    }
}
