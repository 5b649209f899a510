//! Reads what a component says of itself, and runs nothing of it.

use callboard_model::manifest::{Manifest, SECTION};
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::error::InspectError;
use crate::{imports, limits, manifest};

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The manifest.
    pub manifest: Manifest,
    /// The interfaces that it imports, as in its type: its list of rights, since what a guest does not use is not in
    /// there.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// The extension points among the exports, named as in WIT.
    pub extension_points: Vec<&'static str>,
    /// `sha256:` and the file's digest in hexadecimal.
    pub digest: String,
    /// Bytes.
    pub size: usize,
}

/// Reads manifest and type of a component.
///
/// # Errors
/// The file is not a component, or its manifest is not there, there twice, or not right.
pub fn inspect(wasm: &[u8]) -> Result<Inspection, InspectError> {
    inspect_within(wasm, limits::COMPONENT_BYTES)
}

pub(crate) fn inspect_within(wasm: &[u8], limit: usize) -> Result<Inspection, InspectError> {
    if wasm.len() > limit {
        return Err(InspectError::TooLarge { size: wasm.len(), limit });
    }
    let sections = sections(wasm)?;
    let text = match sections.manifests.as_slice() {
        [] => return Err(InspectError::NoManifest),
        [one] if one.len() > limits::MANIFEST_BYTES => {
            return Err(InspectError::Manifest(format!(
                "it has {} bytes; at most {} are read",
                one.len(),
                limits::MANIFEST_BYTES
            )));
        }
        [one] => {
            std::str::from_utf8(one).map_err(|error| InspectError::Manifest(format!("it is not UTF-8: {error}")))?
        }
        several => return Err(InspectError::SeveralManifests(several.len())),
    };
    let manifest = manifest::read(text).map_err(InspectError::Manifest)?;
    Ok(Inspection {
        manifest,
        extension_points: imports::extension_points(&sections.exports),
        imports: sections.imports,
        exports: sections.exports,
        digest: format!("sha256:{}", hex::encode(Sha256::digest(wasm))),
        size: wasm.len(),
    })
}

#[derive(Default)]
struct Sections<'a> {
    /// At any depth: the toolchain leaves custom sections in the core module that it wraps.
    manifests: Vec<&'a [u8]>,
    imports: Vec<String>,
    exports: Vec<String>,
}

fn sections(wasm: &[u8]) -> Result<Sections<'_>, InspectError> {
    let malformed =
        |error: wasmparser::BinaryReaderError| InspectError::NotAComponent(format!("the file is damaged: {error}"));
    if !wasm.starts_with(b"\0asm") {
        return Err(InspectError::NotAComponent(
            "the file is not WebAssembly; `source` must name the .wasm file of a component".to_owned(),
        ));
    }
    let mut sections = Sections::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(InspectError::NotAComponent(
                    "the file is a core WebAssembly module, not a component; build it with `--target wasm32-wasip2`"
                        .to_owned(),
                ));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } if depth == limits::NESTING => {
                return Err(InspectError::NotAComponent(format!(
                    "the component has others in it, more than {} deep",
                    limits::NESTING
                )));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if section.name() == SECTION => sections.manifests.push(section.data()),
            Payload::ComponentImportSection(reader) if depth == 0 => {
                for import in reader {
                    sections.imports.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(reader) if depth == 0 => {
                for export in reader {
                    sections.exports.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn with_manifests(texts: &[&str]) -> Vec<u8> {
        let mut wasm = COMPONENT.to_vec();
        for text in texts {
            let mut section = vec![u8::try_from(SECTION.len()).unwrap()];
            section.extend(SECTION.as_bytes());
            section.extend(text.as_bytes());
            wasm.push(0);
            // LEB128, which for lengths below 16,384 is two bytes.
            wasm.push(u8::try_from(section.len() & 0x7f).unwrap() | 0x80);
            wasm.push(u8::try_from(section.len() >> 7).unwrap());
            wasm.extend(section);
        }
        wasm
    }

    fn check(wasm: &[u8], expected: &str) {
        let message = inspect(wasm).expect_err("refused").to_string();
        assert!(message.contains(expected), "{message}");
    }

    const MANIFEST: &str =
        "format: 1\nid: minimal\nname: Minimal\nversion: 0.1.0\nneeds: { host: ^0.1, plugin: ^0.1 }\n";

    #[test]
    fn refuses_what_is_not_a_plugin() {
        check(b"", "not WebAssembly");
        check(b"#!/bin/sh", "not WebAssembly");
        check(b"\0asm\x01\0\0\0", "core WebAssembly module");
        check(b"\0asm\x0d\0\x01\0\xff\xff", "damaged");
        check(COMPONENT, "carries no manifest");
        check(&with_manifests(&[MANIFEST, MANIFEST]), "carries 2 manifests");
        check(&with_manifests(&["format: [1"]), "the manifest (plugin.yaml)");
        check(&vec![0; limits::COMPONENT_BYTES + 1], "at most 33554432");
    }

    #[test]
    fn reads_a_manifest() {
        let inspection = inspect(&with_manifests(&[MANIFEST])).unwrap();
        assert_eq!(inspection.manifest.id, "minimal");
        assert_eq!(inspection.digest.len(), 7 + 64);
        assert!(inspection.imports.is_empty() && inspection.exports.is_empty());
    }
}
