//! Guests that no compiler makes: those that are written as WebAssembly, and those that are generated.

use wasm_encoder::{Component, CustomSection};

use crate::generated::GENERATED;
use crate::written;

pub(crate) const MANIFEST_SECTION: &str = "callboard:manifest";

/// The component of this name, if it is none of Rust.
#[must_use]
pub fn component(name: &str) -> Option<Vec<u8>> {
    let generated = GENERATED.iter().find(|(generated, _)| *generated == name).map(|(_, generate)| generate());
    generated.or_else(|| written::component(name))
}

/// The names of all of them, sorted.
#[must_use]
pub fn names() -> Vec<String> {
    let mut names = written::names();
    names.extend(GENERATED.iter().map(|(name, _)| (*name).to_owned()));
    names.sort_unstable();
    names
}

/// The manifest of a plugin that asks for nothing and contributes nothing, but for what the rest says.
#[must_use]
pub fn manifest(name: &str, rest: &str) -> String {
    let id = name.replace('_', "-");
    format!("format: 1\nid: {id}\nname: {id}\nversion: 0.1.0\nneeds: {{ host: ^0.1, plugin: ^0.1 }}\n{rest}")
}

/// A custom section at the end of a component.
pub fn append_section(wasm: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut component = Component::new();
    component.section(&CustomSection { name: name.into(), data: data.into() });
    // Without the eight bytes with which every component begins.
    wasm.extend(component.finish().into_iter().skip(8));
}
