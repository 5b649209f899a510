//! Takes out of the page's program what the first page does without: `frontend/src/later.rs` says what that is, and
//! fetches it when somebody wants it.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, anyhow, bail};
use wasm_split_cli_support::{Options, transform};

use super::file_name;
use crate::project;

/// The program in parts.
pub(super) struct Parts {
    /// What is there from the start, for wasm-bindgen.
    pub(super) main: Vec<u8>,
    /// The others and what fetches them, by their names beside the main one.
    pub(super) others: BTreeMap<String, Vec<u8>>,
}

/// Splits a module that was linked with `--emit-relocs`.
pub(super) fn split(module: &[u8]) -> Result<Parts> {
    let folder = project::target("web-parts");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let main = folder.join("main.wasm");
    let imported_from = format!("./{}", file_name("js"));
    let mut options = Options::new(module);
    options.output_dir = &folder;
    options.main_out_path = &main;
    options.main_module = &imported_from;
    transform(options).map_err(|error| anyhow!("{error:#}")).context("the web UI's module cannot be split")?;
    let mut others = BTreeMap::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let content = fs::read(&path)?;
        let is_module = path.extension().is_some_and(|extension| extension == "wasm");
        let content = if is_module && path != main { without_names(&content)? } else { content };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        others.insert(name, content);
    }
    let main = others.remove("main.wasm").context("the module was split into parts without a main one")?;
    Ok(Parts { main, others })
}

/// A module without its custom sections, the names of functions above all. wasm-bindgen does this for the main one.
fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    const HEADER: usize = 8;
    const CUSTOM: u8 = 0;
    let (header, mut rest) = module.split_at_checked(HEADER).context("a module begins with eight bytes")?;
    let mut kept = header.to_vec();
    while let Some((id, after)) = rest.split_first() {
        let (size, size_bytes) = length(after).context("a section of a module has no length")?;
        let Some((section, after)) = rest.split_at_checked(1 + size_bytes + size) else {
            bail!("a section of a module is longer than the module");
        };
        if *id != CUSTOM {
            kept.extend_from_slice(section);
        }
        rest = after;
    }
    Ok(kept)
}

/// A number in LEB128, and how many bytes it takes.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go() {
        let header = [0, b'a', b's', b'm', 1, 0, 0, 0];
        let long = [vec![10, 0x80, 0x01], vec![7; 128]].concat();
        let check = |sections: &[&[u8]], expected: &[&[u8]]| {
            let module = [&header[..], &sections.concat()].concat();
            assert_eq!(without_names(&module).unwrap(), [&header[..], &expected.concat()].concat(), "{sections:?}");
        };
        check(&[], &[]);
        check(&[&[0, 1, 9]], &[]);
        check(&[&[0, 1, 9], &[1, 2, 8, 8], &[0, 0]], &[&[1, 2, 8, 8]]);
        check(&[&long, &[0, 1, 9]], &[&long]);
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let header = [0, b'a', b's', b'm', 1, 0, 0, 0];
        for rest in [&[1][..], &[1, 0x80], &[1, 5, 0]] {
            assert!(without_names(&[&header[..], rest].concat()).is_err(), "{rest:?}");
        }
        assert!(without_names(&header[..7]).is_err());
    }
}
