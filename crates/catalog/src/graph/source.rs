//! The source of an entity as the tables keep it: packed, because most of it is in the entity's document again.

use std::cell::RefCell;
use std::io::Read;

use callboard_model::entity::Entity;
use callboard_store::{FromValue, Value};
use flate2::bufread::ZlibDecoder;
use flate2::{Compress, Compression, Decompress, FlushCompress, Status};

/// Says of bytes that what follows is packed with [`WORDS`]. Of a text that is kept as it is, the first is `{`.
const PACKED: u8 = 1;

/// What most sources hold, the most frequent last: a source is so short that it would else be mostly what is in every
/// other one, too. It is a part of what the database holds, and can never change: other words need another [`PACKED`].
const WORDS: &[u8] = br#"https://gitlab.com/.yaml"},"description":"","links":[{"icon":"","title":"","url":"https://"}],"labels":{"tags":[""],"title":"","profile":{"displayName":"","email":"","picture":"https://"},"memberOf":["group:default/"],"parent":"","children":[],"members":["user:default/"],"definition":"openapi: 3.0.0\ninfo:\n  title: \n  version: ","type":"openapi"}"kind":"Location""spec":{"targets":["./","target":"https://","type":"url"}"kind":"Template""kind":"Domain","kind":"System","kind":"Group","kind":"User","kind":"Resource","kind":"API","kind":"Component","metadata":{"annotations":{"backstage.io/techdocs-ref":"dir:.","github.com/project-slug":"","backstage.io/edit-url":"https://github.com/","backstage.io/managed-by-location":"url:https://github.com/","backstage.io/managed-by-origin-location":"url:https://github.com/","backstage.io/source-location":"url:https://github.com/","backstage.io/view-url":"https://github.com//blob/main/catalog-info.yaml"},"description":"","name":"","namespace":"default","tags":[],"title":""},"spec":{"consumesApis":["api:default/"],"dependsOn":["resource:default/","component:default/"],"lifecycle":"experimental","lifecycle":"production","owner":"group:default/","providesApis":["","subcomponentOf":"","system":"","type":"library"}"type":"website"}"type":"service"}}{"apiVersion":"backstage.io/v1alpha1","kind":""#;

/// The text of a source, read from its column.
pub(crate) struct SourceText(pub(crate) String);

impl FromValue for SourceText {
    fn from_value(value: &Value) -> Option<Self> {
        let text = match value {
            // As earlier versions kept it on SQLite.
            Value::Text(text) => text.clone(),
            Value::Blob(bytes) => match bytes.split_first() {
                Some((&PACKED, packed)) => unpack(packed)?,
                _ => String::from_utf8(bytes.clone()).ok()?,
            },
            _ => return None,
        };
        Some(SourceText(text))
    }
}

/// A source as its column has it.
pub(crate) fn pack(entity: &Entity) -> Vec<u8> {
    let text = entity.to_value().to_string().into_bytes();
    packed(&text).unwrap_or(text)
}

thread_local! {
    /// It has a quarter of a megabyte, which would else be found, cleared and given back for each source.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), false));
}

/// Shorter, or nothing.
fn packed(text: &[u8]) -> Option<Vec<u8>> {
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        compress.set_dictionary(WORDS).ok()?;
        let mut bytes = Vec::with_capacity(text.len());
        bytes.push(PACKED);
        // No more than there is room for: what would need more is better kept as it is.
        let status = compress.compress_vec(text, &mut bytes, FlushCompress::Finish).ok()?;
        bytes.shrink_to_fit();
        (status == Status::StreamEnd).then_some(bytes)
    })
}

fn unpack(packed: &[u8]) -> Option<String> {
    let mut decompress = Decompress::new(false);
    decompress.set_dictionary(WORDS).ok()?;
    let mut text = String::with_capacity(packed.len() * 4);
    // As the state says, and not its name, without what zlib puts around it.
    ZlibDecoder::new_with_decompress(packed, decompress).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn there_and_back() {
        fn check(spec: &Json, least_saved: usize) {
            let entity = json!({
                "apiVersion": "backstage.io/v1alpha1",
                "kind": "Component",
                "metadata": { "name": "a", "annotations": { "backstage.io/view-url": "https://github.com/a/a" } },
                "spec": spec,
            });
            let text = entity.to_string();
            let bytes = pack(&Entity::from_value(entity).unwrap());
            assert!(bytes.len() + least_saved <= text.len(), "{} of {}: {text}", bytes.len(), text.len());
            for kept in [Value::Blob(bytes), Value::Text(text.clone()), Value::Blob(text.clone().into_bytes())] {
                assert_eq!(SourceText::from_value(&kept).unwrap().0, text);
            }
        }
        check(&json!({ "type": "service", "lifecycle": "production", "owner": "team-a" }), 100);
        check(&json!({ "type": "ä", "text": "long ".repeat(100_000) }), 400_000);
        // What nothing makes shorter.
        let noise: String = (0..60u32).map(|n| char::from_u32(0x4e00 + (n * 7919) % 20_000).unwrap()).collect();
        check(&json!({ "noise": noise }), 0);
    }

    #[test]
    fn damaged() {
        for value in [Value::Null, Value::Integer(1), Value::Blob(vec![PACKED, 0xff, 1]), Value::Blob(vec![0xff])] {
            assert!(SourceText::from_value(&value).is_none(), "{value:?}");
        }
    }
}
