use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::*;

struct Place {
    workspace: Workspace,
    limits: Limits,
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("inside")).unwrap();
        std::fs::create_dir(root.path().join("outside")).unwrap();
        std::fs::write(root.path().join("outside/secret"), "canary").unwrap();
        let workspace = Workspace::open(&root.path().join("inside")).unwrap();
        let limits =
            Limits { workspace_bytes: 1_000, workspace_file_bytes: 400, workspace_entries: 20, ..Limits::default() };
        Place { workspace, limits, root }
    }

    fn inside(&self, path: &str) -> PathBuf {
        self.root.path().join("inside").join(path)
    }

    fn outside(&self, path: &str) -> PathBuf {
        self.root.path().join("outside").join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.workspace.write(&self.limits, path, bytes)
    }

    fn paths(&self, folder: &str, recursive: bool) -> Vec<String> {
        let listing = self.workspace.list(folder, recursive, None).unwrap();
        assert_eq!(listing.next, None);
        listing.entries.into_iter().map(|entry| entry.path).collect()
    }
}

#[test]
fn files_and_folders() {
    let place = Place::new();
    let Place { workspace, limits, .. } = &place;
    place.write("src/main.rs", b"fn main() {}").unwrap();
    place.write("./src/lib/a.rs", b"a").unwrap();
    workspace.append(limits, "src/lib/a.rs", b"bc").unwrap();
    workspace.create_folder(limits, "docs/more").unwrap();
    workspace.create_folder(limits, "docs").unwrap();
    assert_eq!(std::fs::read(place.inside("src/lib/a.rs")).unwrap(), b"abc");
    assert_eq!(workspace.read("src/main.rs", 3, 4).unwrap(), b"main");
    assert_eq!(workspace.read("src/main.rs", 10, 100).unwrap(), b"{}"[..].to_vec());
    assert_eq!(workspace.read("src/main.rs", 1 << 40, 100).unwrap(), b"");
    assert_eq!(place.paths(".", false), ["docs", "src"]);
    assert_eq!(place.paths("", true), ["docs", "docs/more", "src", "src/lib", "src/lib/a.rs", "src/main.rs"]);
    assert_eq!(place.paths("src/", true), ["src/lib", "src/lib/a.rs", "src/main.rs"]);

    workspace.set_executable("src/main.rs", true).unwrap();
    let entry = workspace.stat("src/main.rs").unwrap().unwrap();
    assert_eq!((entry.path.as_str(), entry.kind, entry.size, entry.executable), ("src/main.rs", Kind::File, 12, true));
    workspace.copy(limits, "src/main.rs", "bin/run").unwrap();
    assert!(workspace.stat("bin/run").unwrap().unwrap().executable, "a copy is as its original");
    workspace.set_executable("src/main.rs", false).unwrap();
    assert!(!workspace.stat("src/main.rs").unwrap().unwrap().executable);

    workspace.rename(limits, "src", "code/rust").unwrap();
    assert!(workspace.stat("src").unwrap().is_none());
    assert_eq!(workspace.read("code/rust/lib/a.rs", 0, 9).unwrap(), b"abc");
    workspace.remove("code").unwrap();
    workspace.remove("bin/run").unwrap();
    assert_eq!(place.paths(".", true), ["bin", "docs", "docs/more"]);

    let invalid = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Invalid(_))), "{result:?}");
    place.write("file", b"").unwrap();
    invalid(place.write("docs", b""));
    invalid(place.write("file/x", b""));
    invalid(workspace.create_folder(limits, "file"));
    invalid(workspace.rename(limits, "file", "docs"));
    invalid(workspace.rename(limits, "docs", "docs/more/deep"));
    invalid(workspace.copy(limits, "docs", "else"));
    invalid(workspace.copy(limits, "file", "file"));
    invalid(workspace.list("file", false, None).map(drop));
    invalid(workspace.read("docs", 0, 1).map(drop));
    let gone = |result: Result<(), Error>| assert!(matches!(result, Err(Error::NotFound(_))), "{result:?}");
    gone(workspace.remove("nothing"));
    gone(workspace.append(limits, "nothing", b""));
    gone(workspace.rename(limits, "nothing", "else"));
    gone(workspace.copy(limits, "no/thing", "else"));
    gone(workspace.set_executable("nothing", true));
    gone(workspace.list("nothing", true, None).map(drop));
    gone(workspace.read("nothing", 0, 1).map(drop));
    for path in [".", "", "./"] {
        assert!(matches!(workspace.remove(path), Err(Error::Denied(_))));
        assert!(matches!(workspace.rename(limits, path, "x"), Err(Error::Denied(_))));
    }
}

#[test]
fn no_link_is_followed() {
    let place = Place::new();
    let Place { workspace, limits, .. } = &place;
    place.write("real/file", b"inside").unwrap();
    symlink(place.outside(""), place.inside("out")).unwrap();
    symlink(place.outside("secret"), place.inside("secret")).unwrap();
    symlink("../outside", place.inside("up")).unwrap();
    symlink("real", place.inside("near")).unwrap();
    symlink("nowhere", place.inside("dangling")).unwrap();
    let denied = |what: &str, result: Result<(), Error>| match result {
        Err(Error::Denied(message)) => assert!(!message.contains(place.root.path().to_str().unwrap()), "{message}"),
        other => panic!("{what}: {other:?}"),
    };
    for path in
        ["out/secret", "out/new", "up/secret", "up/a/b", "near/file", "near/new", "dangling/x", "secret", "dangling"]
    {
        denied(path, workspace.read(path, 0, 10).map(drop));
        denied(path, place.write(path, b"x"));
        denied(path, workspace.append(limits, path, b"x"));
        denied(path, workspace.copy(limits, path, "copy"));
        denied(path, workspace.set_executable(path, true));
    }
    for path in ["out/x", "up/x", "near/x"] {
        denied(path, workspace.stat(path).map(drop));
        denied(path, workspace.create_folder(limits, path));
        denied(path, workspace.remove(path));
        denied(path, workspace.rename(limits, "real/file", path));
        denied(path, workspace.rename(limits, path, "else"));
        denied(path, workspace.copy(limits, "real/file", path));
        denied(path, workspace.list(path, true, None).map(drop));
    }
    for path in ["out", "up", "near"] {
        denied(path, workspace.list(path, true, None).map(drop));
    }
    // A link is a thing of its own: what it leads to is neither listed nor removed with it.
    assert_eq!(place.paths(".", true), ["dangling", "near", "out", "real", "real/file", "secret", "up"]);
    assert_eq!(workspace.stat("out").unwrap().unwrap().kind, Kind::Link);
    workspace.rename(limits, "out", "real/out").unwrap();
    workspace.remove("secret").unwrap();
    workspace.remove("real").unwrap();
    assert_eq!(std::fs::read_to_string(place.outside("secret")).unwrap(), "canary");
    assert_eq!(std::fs::read_dir(place.outside("")).unwrap().count(), 1);
}

/// Whatever is put in the place of a folder while it is used: what is outside stays as it is.
#[test]
fn a_link_that_appears_meanwhile_leads_nowhere() {
    let place = Place::new();
    let Place { workspace, limits, .. } = &place;
    let mode = std::fs::metadata(place.outside("secret")).unwrap().permissions().mode();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (folder, link) = (place.inside("d"), place.inside("d"));
            while !stop.load(Ordering::Relaxed) {
                std::fs::create_dir(&folder).ok();
                std::fs::remove_dir_all(&folder).ok();
                symlink(place.outside(""), &link).ok();
                std::fs::remove_file(&link).ok();
            }
        });
        for _ in 0..3_000 {
            place.write("d/new", b"x").ok();
            place.write("d/secret", b"x").ok();
            workspace.create_folder(limits, "d/folder").ok();
            workspace.set_executable("d/secret", true).ok();
            workspace.remove("d/secret").ok();
            if let Ok(read) = workspace.read("d/secret", 0, 10) {
                assert_ne!(read, b"canary");
            }
            workspace.rename(limits, "d/secret", "mine").ok();
            workspace.remove("d").ok();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(std::fs::read_to_string(place.outside("secret")).unwrap(), "canary");
    assert_eq!(std::fs::metadata(place.outside("secret")).unwrap().permissions().mode(), mode);
    assert_eq!(std::fs::read_dir(place.outside("")).unwrap().count(), 1);
}

#[test]
fn a_second_name_of_a_file_is_not_written_through() {
    let place = Place::new();
    std::fs::hard_link(place.outside("secret"), place.inside("twin")).unwrap();
    let Place { workspace, limits, .. } = &place;
    assert!(matches!(workspace.append(limits, "twin", b"x"), Err(Error::Denied(_))));
    assert!(matches!(workspace.set_executable("twin", true), Err(Error::Denied(_))));
    place.write("twin", b"new").unwrap();
    assert_eq!(workspace.read("twin", 0, 10).unwrap(), b"new");
    assert_eq!(std::fs::read_to_string(place.outside("secret")).unwrap(), "canary");
}

#[test]
fn how_much_there_is_is_limited() {
    let place = Place::new();
    let Place { workspace, limits, .. } = &place;
    let large = |result: Result<(), Error>, part: &str| match result {
        Err(Error::TooLarge(message)) => assert!(message.contains(part), "{message}"),
        other => panic!("{part}: {other:?}"),
    };
    large(place.write("a", &[0; 401]), "at most 400");
    place.write("a", &[0; 400]).unwrap();
    large(workspace.append(limits, "a", b"x"), "at most 400");
    workspace.copy(limits, "a", "b").unwrap();
    large(workspace.copy(limits, "a", "c"), "at most 1000 bytes");
    large(place.write("c", &[0; 201]), "at most 1000 bytes");
    place.write("c", &[0; 200]).unwrap();
    large(place.write("d", b"x"), "at most 1000 bytes");
    // What makes room, and what grows into it.
    place.write("a", &[0; 399]).unwrap();
    place.write("d", b"x").unwrap();
    workspace.remove("b").unwrap();
    place.write("b", &[0; 400]).unwrap();
    // So far there are 4; each folder counts, also those above.
    large(place.write(&["x"; 17].join("/"), b""), "at most 20 files");
    for number in 0..16 {
        place.write(&format!("n{number}"), b"").unwrap();
    }
    large(place.write("more", b""), "at most 20 files");
    large(workspace.create_folder(limits, "more"), "at most 20 files");
    large(workspace.rename(limits, "a", "more/a"), "at most 20 files");
    place.write("n0", b"").unwrap();
    // What others put there counts as well, once there is reason to look.
    for number in 0..16 {
        workspace.remove(&format!("n{number}")).unwrap();
    }
    std::fs::create_dir(place.inside("theirs")).unwrap();
    for number in 0..16 {
        std::fs::write(place.inside(&format!("theirs/{number}")), "").unwrap();
    }
    workspace.forget_usage();
    large(place.write("mine", b""), "at most 20 files");
    workspace.remove("theirs").unwrap();
    place.write("mine", b"").unwrap();
    large(place.write("mine", &vec![0; limits::BATCH_BYTES + 1]), "then append");
}

#[test]
fn folders_do_not_become_deeper_than_paths() {
    let mut place = Place::new();
    place.limits.workspace_entries = 10_000;
    let Place { workspace, limits, .. } = &place;
    let chain = |name: &str, length: usize| vec![name; length].join("/");
    workspace.create_folder(limits, &chain("a", 20)).unwrap();
    workspace.create_folder(limits, &chain("b", limits::WORKSPACE_DEPTH - 20)).unwrap();
    workspace.create_folder(limits, &chain("c", limits::WORKSPACE_DEPTH - 19)).unwrap();
    let into = |name: &str, length: usize| workspace.rename(limits, "a", &format!("{}/a", chain(name, length)));
    assert!(matches!(into("c", limits::WORKSPACE_DEPTH - 19), Err(Error::TooLarge(_))));
    into("b", limits::WORKSPACE_DEPTH - 20).unwrap();
    assert_eq!(place.paths("b", true).len(), limits::WORKSPACE_DEPTH - 1);
    workspace.remove("b").unwrap();
    assert!(workspace.stat("b").unwrap().is_none());
}

#[test]
fn pages_follow_each_other() {
    let mut place = Place::new();
    place.limits.workspace_entries = 10_000;
    for number in 0..1_234 {
        place.write(&format!("f{}/{}/x{number}", number % 7, number % 3), b"").unwrap();
    }
    place.write("f", b"").unwrap();
    place.write("f.txt", b"").unwrap();
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = place.workspace.list(".", true, after.as_deref()).unwrap();
        assert!(page.entries.len() <= limits::WORKSPACE_LISTING);
        found.extend(page.entries.into_iter().map(|entry| entry.path));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 1_234 + 2 + 7 + 21);
    assert!(found.iter().map(|path| path.split('/').collect::<Vec<_>>()).is_sorted(), "{found:?}");
    let page = place.workspace.list("f1", false, Some("f1/0")).unwrap();
    assert_eq!(page.entries.into_iter().map(|entry| entry.path).collect::<Vec<_>>(), ["f1/1", "f1/2"]);
}

/// What is remembered of the folder is what is there, whatever was done.
#[test]
fn what_is_counted_is_what_is_there() {
    let place = Place::new();
    let Place { workspace, limits, .. } = &place;
    let mut random = StdRng::seed_from_u64(5);
    let names = ["a", "b", "a/c", "a/c/d", "b/e", "f/g/h", "../x", "a/../b", "/etc"];
    for step in 0..3_000 {
        let mut name = || names[random.random_range(0..names.len())];
        let (one, other) = (name(), name());
        let size = random.random_range(0..450);
        let result = match random.random_range(0..7) {
            0 => workspace.remove(one),
            1 => workspace.rename(limits, one, other),
            2 => workspace.copy(limits, one, other),
            3 => workspace.create_folder(limits, one),
            4 => workspace.append(limits, one, &vec![0; size]),
            _ => workspace.write(limits, one, &vec![0; size]),
        };
        let there = Usage::measure(&workspace.dir, limits).unwrap();
        if let Some(counted) = *workspace.lock() {
            assert_eq!(counted, there, "step {step}: {one} {other} {result:?}");
        }
        assert!(there.bytes <= 1_000 && there.entries <= 20);
    }
    assert_eq!(std::fs::read_dir(place.root.path()).unwrap().count(), 2);
}
