//! Reads the functions out of a component's type. Of the code inside nothing is looked at.

use std::collections::HashMap;

use semver::Version;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId,
    ComponentValType, ResourceId,
};
use wasmparser::types::Types;
use wasmparser::{Parser, Payload, ValidPayload, Validator, WasmFeatures};

use super::Functions;
use crate::limits::SIGNATURES_BYTES;

/// What a component imports from `callboard:host`, and exports of `callboard:plugin`.
pub(super) struct Sides {
    pub(super) imports: Vec<Interface>,
    pub(super) exports: Vec<Interface>,
}

pub(super) struct Interface {
    /// Without the version.
    pub(super) name: String,
    pub(super) version: Option<Version>,
    pub(super) functions: Functions,
}

pub(super) fn sides(wasm: &[u8]) -> Result<Sides, String> {
    let invalid = |error: wasmparser::BinaryReaderError| format!("it is not a valid component: {error}");
    // Which features a plugin may use is the engine's to say.
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut types = None;
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(invalid)?;
        match &payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section.clone() {
                    imports.push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section.clone() {
                    exports.push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            _ => {}
        }
        if let ValidPayload::End(end) = validator.payload(&payload).map_err(invalid)? {
            types = Some(end);
        }
    }
    let types = types.ok_or("it is not a valid component: it has no end")?;
    let mut left = SIGNATURES_BYTES;
    let mut of = |names: Vec<String>, package: &str, is_import: bool| {
        let mut interfaces = Vec::new();
        for full in names.into_iter().filter(|name| name.starts_with(package)) {
            let item =
                if is_import { types.component_item_for_import(&full) } else { types.component_item_for_export(&full) };
            let Some(ComponentEntityType::Instance(instance)) = item.map(|item| item.ty) else { continue };
            let functions = functions(&types, instance, &mut left).map_err(|problem| format!("{full}: {problem}"))?;
            let (name, version) = match full.split_once('@') {
                Some((name, version)) => (name.to_owned(), version.parse().ok()),
                None => (full, None),
            };
            interfaces.push(Interface { name, version, functions });
        }
        Ok::<_, String>(interfaces)
    };
    Ok(Sides { imports: of(imports, "callboard:host/", true)?, exports: of(exports, "callboard:plugin/", false)? })
}

fn functions(types: &Types, instance: ComponentInstanceTypeId, left: &mut usize) -> Result<Functions, String> {
    let exports = &types[instance].exports;
    let resources = exports
        .iter()
        .filter_map(|(name, item)| match item.ty {
            ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(id), .. } => {
                Some((id.resource(), name.as_str()))
            }
            _ => None,
        })
        .collect();
    let mut functions = Functions::new();
    for (name, item) in exports {
        if let ComponentEntityType::Func(function) = item.ty {
            let mut written = Written { types, resources: &resources, left: &mut *left, text: String::new() };
            written.function(function)?;
            functions.insert(name.clone(), written.text);
        }
    }
    Ok(functions)
}

/// A type as text: two functions have the same text if the engine takes one for the other.
struct Written<'a> {
    types: &'a Types,
    resources: &'a HashMap<ResourceId, &'a str>,
    /// Bytes that may still be written, for this and all others.
    left: &'a mut usize,
    text: String,
}

impl Written<'_> {
    fn function(&mut self, id: ComponentFuncTypeId) -> Result<(), String> {
        let types = self.types;
        let function = &types[id];
        self.push(if function.async_ { "async func" } else { "func" })?;
        self.fields("(", function.params.iter().map(|(name, ty)| (name.as_str(), Some(*ty))), ")")?;
        match function.result {
            Some(result) => {
                self.push(" -> ")?;
                self.value(result)
            }
            None => Ok(()),
        }
    }

    fn value(&mut self, ty: ComponentValType) -> Result<(), String> {
        let types = self.types;
        let id = match ty {
            ComponentValType::Primitive(primitive) => return self.push(&primitive.to_string()),
            ComponentValType::Type(id) => id,
        };
        match &types[id] {
            ComponentDefinedType::Primitive(primitive) => self.push(&primitive.to_string()),
            ComponentDefinedType::Record(record) => {
                self.fields("record { ", record.fields.iter().map(|(name, ty)| (name.as_str(), Some(*ty))), " }")
            }
            ComponentDefinedType::Variant(variant) => {
                self.fields("variant { ", variant.cases.iter().map(|(name, case)| (name.as_str(), case.ty)), " }")
            }
            ComponentDefinedType::Flags(names) => {
                self.fields("flags { ", names.iter().map(|name| (name.as_str(), None)), " }")
            }
            ComponentDefinedType::Enum(names) => {
                self.fields("enum { ", names.iter().map(|name| (name.as_str(), None)), " }")
            }
            ComponentDefinedType::Tuple(tuple) => {
                self.wrapped("tuple", &tuple.types.iter().map(|ty| Some(*ty)).collect::<Vec<_>>())
            }
            ComponentDefinedType::List { element, .. } => self.wrapped("list", &[Some(*element)]),
            ComponentDefinedType::Option { ty, .. } => self.wrapped("option", &[Some(*ty)]),
            ComponentDefinedType::Result { ok, err, .. } => self.wrapped("result", &[*ok, *err]),
            ComponentDefinedType::Future { ty, .. } => self.wrapped("future", &[*ty]),
            ComponentDefinedType::Stream { ty, .. } => self.wrapped("stream", &[*ty]),
            ComponentDefinedType::Map { key, value, .. } => self.wrapped("map", &[Some(*key), Some(*value)]),
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                self.wrapped("list", &[Some(*element)])?;
                self.push(&format!("[{length}]"))
            }
            ComponentDefinedType::Own(id) => self.handle("own", id.resource()),
            ComponentDefinedType::Borrow(id) => self.handle("borrow", id.resource()),
        }
    }

    fn handle(&mut self, kind: &str, resource: ResourceId) -> Result<(), String> {
        let name = self.resources.get(&resource).copied().unwrap_or("resource");
        self.push(&format!("{kind}<{name}>"))
    }

    fn wrapped(&mut self, kind: &str, inner: &[Option<ComponentValType>]) -> Result<(), String> {
        self.push(kind)?;
        for (index, ty) in inner.iter().enumerate() {
            self.push(if index == 0 { "<" } else { ", " })?;
            match ty {
                Some(ty) => self.value(*ty)?,
                None => self.push("_")?,
            }
        }
        self.push(">")
    }

    fn fields<'a>(
        &mut self,
        open: &str,
        fields: impl Iterator<Item = (&'a str, Option<ComponentValType>)>,
        close: &str,
    ) -> Result<(), String> {
        self.push(open)?;
        for (index, (name, ty)) in fields.enumerate() {
            if index > 0 {
                self.push(", ")?;
            }
            self.push(name)?;
            if let Some(ty) = ty {
                self.push(": ")?;
                self.value(ty)?;
            }
        }
        self.push(close)
    }

    /// A type may refer to others many times over, so that its text would fill any memory.
    fn push(&mut self, text: &str) -> Result<(), String> {
        let Some(left) = self.left.checked_sub(text.len()) else {
            return Err(format!("the types of its functions take more than {SIGNATURES_BYTES} bytes to write"));
        };
        *self.left = left;
        self.text.push_str(text);
        Ok(())
    }
}
