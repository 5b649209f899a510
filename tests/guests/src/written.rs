//! Makes components of the text in `components/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, WorldId};

use crate::made::{append_section, manifest};

/// The component whose text is in this file, if there is one.
pub(crate) fn component(name: &str) -> Option<Vec<u8>> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.wat"))).ok()?;
    Some(of_text(name, &text))
}

/// All of them, by name.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder of the components");
    let files = entries.map(|entry| entry.expect("a file").file_name().into_string().expect("a name"));
    files.filter_map(|file| file.strip_suffix(".wat").map(str::to_owned)).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("components")
}

/// The text is a whole component, or the fields of a module that exports `ui`. The module gets what it does not have
/// itself: a memory, `cabi_realloc`, `render` and `act`, which answer with what is at the address 16.
fn of_text(name: &str, text: &str) -> Vec<u8> {
    let header = |key: &str| text.lines().find_map(|line| line.strip_prefix(&format!(";; {key}: ")));
    let rights = header("rights").map(|rights| format!("rights: {rights}\n")).unwrap_or_default();
    let is_whole = text.lines().any(|line| line.starts_with("(component"));
    let (mut wasm, contributes) = if is_whole {
        (wat::parse_str(text).expect(name), "")
    } else {
        let encoding = match header("encoding") {
            None => StringEncoding::UTF8,
            Some("utf16") => StringEncoding::UTF16,
            Some("latin1") => StringEncoding::CompactUTF16,
            Some(other) => panic!("{name}: {other}"),
        };
        let module =
            wat::parse_str(module(text, header("answer"), encoding)).unwrap_or_else(|it| panic!("{name}: {it}"));
        (encode(name, module, encoding), "contributes: { ui: [{ id: attack, at: page, title: Attack }] }\n")
    };
    let manifest = manifest(name, &format!("{rights}{contributes}"));
    append_section(&mut wasm, "callboard:manifest", manifest.as_bytes());
    wasm
}

fn module(fields: &str, answer: Option<&str>, encoding: StringEncoding) -> String {
    const RENDER: &str = "\"callboard:plugin/ui@0.1.0#render\"";
    const ACT: &str = "\"callboard:plugin/ui@0.1.0#act\"";
    let context = "i32 i32 i32 i32 i32 i32 i32 i64";
    let mut text = format!(
        "(module (type $render (func (param {context} i32 i32 i32 i32) (result i32)))\n\
         (type $act (func (param {context} i32 i32 i32 i32 i32 i32) (result i32)))\n{fields}\n"
    );
    if !fields.contains("(memory") {
        text += "(memory (export \"memory\") 2)\n";
    }
    if !fields.contains("\"cabi_realloc\"") {
        // One after the other, from the middle of the first page on. Nothing is ever given back: the instance is not
        // used again.
        text += "(global $free (mut i32) (i32.const 32768))\n\
                 (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)\n\
                 (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))\n\
                 (global.set $free (i32.add (local.get $at) (local.get 3))) (local.get $at))\n";
    }
    for (export, of_type) in [(RENDER, "$render"), (ACT, "$act")] {
        if !fields.contains(export) {
            writeln!(text, "(func (export {export}) (type {of_type}) (i32.const 16))").expect("a text");
        }
    }
    if let Some(answer) = answer {
        let (bytes, length): (Vec<u8>, usize) = match encoding {
            StringEncoding::UTF8 => (answer.as_bytes().to_vec(), answer.len()),
            StringEncoding::UTF16 => {
                let units: Vec<u16> = answer.encode_utf16().collect();
                (units.iter().flat_map(|unit| unit.to_le_bytes()).collect(), units.len())
            }
            StringEncoding::CompactUTF16 => {
                let bytes: Vec<u8> = answer.chars().map(|char| u8::try_from(char).expect("Latin-1")).collect();
                let length = bytes.len();
                (bytes, length)
            }
        };
        let escaped = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
        let length = u32::try_from(length).expect("a length").to_le_bytes();
        let area = [[0; 4], 1024_u32.to_le_bytes(), length].concat();
        writeln!(text, "(data (i32.const 16) \"{}\") (data (i32.const 1024) \"{}\")", escaped(&area), escaped(&bytes))
            .expect("a text");
    }
    text + ")"
}

fn encode(name: &str, mut module: Vec<u8>, encoding: StringEncoding) -> Vec<u8> {
    let (resolve, world) = world();
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).expect(name);
    let mut encoder = ComponentEncoder::default().module(&module).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    encoder.encode().unwrap_or_else(|error| panic!("{name}: {error:#}"))
}

/// All that a guest may import, and what it exports.
fn world() -> (Resolve, WorldId) {
    /// As much of WASI as the guests misuse.
    const WASI: &str = "
        package callboard:guest;
        package wasi:io@0.2.0 {
            interface streams { resource output-stream; }
            interface poll { resource pollable { block: func(); } }
        }
        package wasi:cli@0.2.0 {
            interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
        }
        package wasi:clocks@0.2.0 {
            interface monotonic-clock {
                use wasi:io/poll@0.2.0.{pollable};
                subscribe-duration: func(when: u64) -> pollable;
            }
        }
        package wasi:random@0.2.0 { interface random { get-random-bytes: func(len: u64) -> list<u8>; } }
        world guest {
            include callboard:plugin/ui-plugin@0.1.0;
            import wasi:cli/stdout@0.2.0;
            import wasi:clocks/monotonic-clock@0.2.0;
            import wasi:random/random@0.2.0;
        }";
    let mut resolve = Resolve::default();
    for package in ["wit/host", "wit/plugin"] {
        resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package)).expect(package);
    }
    let package = resolve.push_str("guest.wit", WASI).expect("the guests' world");
    let world = resolve.select_world(&[package], Some("guest")).expect("the guests' world");
    (resolve, world)
}
