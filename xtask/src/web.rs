//! `cargo xtask web`: the web UI, from frontend/ into target/web/.
//!
//! cargo compiles it, [`split`] takes out what the first page does without, wasm-bindgen (as a library, at the version of
//! Cargo.lock) writes the glue, and everything but `index.html` gets its content's digest as part of its path, so that
//! browsers may keep it for ever. What has such a path lies there a second time, packed as small as brotli can, for the
//! server to send as it is.

mod split;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brotli::enc::BrotliEncoderParams;
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::progress::Progress;
use crate::{prerequisites, project, tool};

pub(crate) fn run() -> Result<()> {
    Progress::new().step("Web UI", "frontend/ as WebAssembly, into target/web/", build)
}

/// Builds the web UI; does nothing beyond cargo's own look where no input changed.
pub(crate) fn build() -> Result<()> {
    prerequisites::rust_targets(&[project::WEB_TARGET])?;
    let artifacts = tool::cargo_build(project::cargo().args([
        "build",
        "--package",
        "callboard-frontend",
        "--target",
        project::WEB_TARGET,
        "--profile",
        "browser",
    ]))?;
    let module = artifacts
        .iter()
        .filter(|artifact| artifact.package == "callboard-frontend")
        .find_map(|artifact| artifact.file("wasm"))
        .context("cargo built no .wasm of callboard-frontend")?;
    let sources = Sources::read(&project::root().join("frontend"), &module)?;
    let folder = project::web();
    let stamp = project::target("web.inputs");
    let digest = sources.digest();
    if folder.join("index.html").is_file() && fs::read_to_string(&stamp).is_ok_and(|old| old == digest) {
        return Ok(());
    }
    sources.assemble(&folder)?;
    fs::write(stamp, digest)?;
    Ok(())
}

/// What the page is made of.
struct Sources {
    module: Vec<u8>,
    css: String,
    index: String,
    /// Served as they are: icons and the like.
    public: Vec<(PathBuf, Vec<u8>)>,
}

impl Sources {
    fn read(frontend: &Path, module: &Path) -> Result<Self> {
        let style = frontend.join("style");
        let mut sheets = files(&style)?;
        sheets.retain(|file| file.extension().is_some_and(|extension| extension == "css"));
        let mut css = String::new();
        for sheet in sheets {
            css += &fs::read_to_string(&sheet).with_context(|| format!("{} cannot be read", sheet.display()))?;
        }
        let public = frontend.join("public");
        let public = if public.is_dir() { files(&public)? } else { Vec::new() };
        Ok(Self {
            module: fs::read(module).with_context(|| format!("{} cannot be read", module.display()))?,
            css,
            index: fs::read_to_string(frontend.join("index.html")).context("frontend/index.html cannot be read")?,
            public: public
                .into_iter()
                .map(|file| Ok((file.file_name().map(PathBuf::from).unwrap_or_default(), fs::read(&file)?)))
                .collect::<Result<_>>()?,
        })
    }

    /// Of everything that goes in, and of how it is put together.
    fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(bytes.len().to_le_bytes());
            hasher.update(bytes);
        };
        part(include_bytes!("web.rs"));
        part(include_bytes!("web/split.rs"));
        part(&self.module);
        part(self.css.as_bytes());
        part(self.index.as_bytes());
        for (name, content) in &self.public {
            part(name.as_os_str().as_encoded_bytes());
            part(content);
        }
        hex::encode(hasher.finalize())
    }

    fn assemble(&self, folder: &Path) -> Result<()> {
        let parts = split::split(&self.module)?;
        let mut output = Bindgen::new()
            .input_bytes(STEM, parts.main)
            .web(true)?
            .typescript(false)
            // The other parts import the main one's memory and table by the names that the linker gave them.
            .keep_lld_exports(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate_output()
            .context("wasm-bindgen")?;
        let mut program = snippets(&output);
        program.insert(file_name("js"), with_start(output.js(), &file_name("wasm"))?.into_bytes());
        program.insert(file_name("wasm"), output.wasm_mut().emit_wasm());
        program.extend(parts.others);
        let program_folder = hashed(STEM, "d", &joined(&program));
        let css_name = hashed(STEM, "css", self.css.as_bytes());
        let path_of = |extension| format!("{program_folder}/{}", file_name(extension));
        let page = page(&self.index, &css_name, &path_of("js"), &path_of("wasm"))?;

        let assets = folder.join("assets");
        let mut kept: BTreeMap<PathBuf, &[u8]> = BTreeMap::from([(assets.join(&css_name), self.css.as_bytes())]);
        let program_files = program.iter().map(|(path, content)| (assets.join(&program_folder).join(path), &**content));
        kept.extend(program_files);
        for (path, content) in &kept {
            fs::create_dir_all(path.parent().unwrap_or(&assets))?;
            fs::write(path, content)?;
            fs::write(packed_name(path), packed(content)?)?;
        }
        for (name, content) in &self.public {
            fs::write(folder.join(name), content)?;
        }
        // The page comes last, so that what it names is there; what no page names any more goes after it.
        fs::write(folder.join("index.html"), page)?;
        remove_others(&assets, &kept)?;
        Ok(())
    }
}

/// What the program's files are called. They lie in one folder, whose name changes with any of them, because they
/// import each other by name.
const STEM: &str = "callboard";

fn file_name(extension: &str) -> String {
    format!("{STEM}.{extension}")
}

/// Files with their paths, as one text to make a digest of.
fn joined(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    files.iter().flat_map(|(path, content)| [path.as_bytes(), b"\0", content, b"\0"].concat()).collect()
}

/// JavaScript that crates bring along, by the path under which the glue imports it.
fn snippets(output: &wasm_bindgen_cli_support::Output) -> BTreeMap<String, Vec<u8>> {
    let inline = output.snippets().iter().flat_map(|(id, texts)| {
        texts.iter().enumerate().map(move |(index, text)| (format!("{id}/inline{index}.js"), text.clone()))
    });
    let modules = output.local_modules().iter().map(|(path, text)| (path.clone(), text.clone()));
    inline.chain(modules).map(|(path, text)| (format!("snippets/{path}"), text.into_bytes())).collect()
}

/// Where the packed form of a file lies; the server looks for it under the same name.
fn packed_name(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    name.into()
}

fn packed(content: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters = BrotliEncoderParams { quality: 11, lgwin: 24, size_hint: content.len(), ..Default::default() };
    brotli::BrotliCompress(&mut &*content, &mut packed, &parameters).context("brotli")?;
    Ok(packed)
}

/// Removes what no page names any more.
fn remove_others(folder: &Path, kept: &BTreeMap<PathBuf, &[u8]>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_kept = |kept: &PathBuf| *kept == path || packed_name(kept) == path || kept.starts_with(&path);
        if kept.keys().any(is_kept) {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    Ok(())
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn hashed(stem: &str, extension: &str, content: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(content));
    format!("{stem}-{}.{extension}", digest.get(..16).unwrap_or(&digest))
}

/// The page's policy allows no inline script, so the module starts itself.
fn with_start(js: &str, wasm_name: &str) -> Result<String> {
    const INIT: &str = "__wbg_init";
    if !js.contains(&format!("{INIT} as default")) {
        bail!("wasm-bindgen's glue has no `{INIT}` any more: teach `xtask/src/web.rs` the new name");
    }
    Ok(format!("{js}\n{INIT}({{ module_or_path: new URL('{wasm_name}', import.meta.url) }});\n"))
}

/// `index.html` with its placeholders filled in.
fn page(index: &str, css: &str, js: &str, wasm: &str) -> Result<String> {
    let mut page = index.to_owned();
    for (placeholder, name, needed) in [("{{css}}", css, true), ("{{js}}", js, true), ("{{wasm}}", wasm, false)] {
        if needed && !page.contains(placeholder) {
            bail!("frontend/index.html does not mention {placeholder}");
        }
        page = page.replace(placeholder, &format!("/assets/{name}"));
    }
    match page.find("{{") {
        Some(at) => bail!("frontend/index.html has a placeholder that nobody fills in: {}", line_at(&page, at)),
        None => Ok(page),
    }
}

fn line_at(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_parts() {
        let index = "<link href=\"{{css}}\">\n<script src=\"{{js}}\"></script>";
        let page = super::page(index, "a.css", "b.js", "c.wasm").unwrap();
        assert_eq!(page, "<link href=\"/assets/a.css\">\n<script src=\"/assets/b.js\"></script>");
    }

    #[test]
    fn a_page_with_a_mistake_is_refused() {
        for (index, problem) in
            [("{{css}}", "does not mention {{js}}"), ("{{css}}{{js}}\n <p>{{title}}", "nobody fills in: <p>{{title}}")]
        {
            let error = page(index, "a.css", "b.js", "c.wasm").unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_name_changes_with_its_content() {
        assert_ne!(hashed("callboard", "js", b"1"), hashed("callboard", "js", b"2"));
        assert!(hashed("callboard", "js", b"1").ends_with(".js"));
    }

    #[test]
    fn the_folder_changes_with_each_file_in_it() {
        let digest = |path: &str, text: &str| joined(&BTreeMap::from([(path.to_owned(), text.as_bytes().to_vec())]));
        assert_ne!(digest("a.js", "1"), digest("a.js", "2"));
        assert_ne!(digest("a.js", "1"), digest("b.js", "1"));
    }

    #[test]
    fn the_module_starts_itself() {
        let js = with_start("function __wbg_init() {}\nexport { __wbg_init as default };", "x.wasm").unwrap();
        assert!(js.ends_with("__wbg_init({ module_or_path: new URL('x.wasm', import.meta.url) });\n"), "{js}");
        assert!(with_start("export { start }", "x.wasm").is_err());
    }
}
