//! Projection: only some parts of an entity.

use serde_json::{Map, Value, value::to_raw_value};

use crate::{Document, Error};

/// The parts that are asked for; none for everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<String>);

impl Fields {
    /// Dotted paths.
    pub(super) fn parse(fields: &[String]) -> Result<Fields, Error> {
        if let Some(field) = fields.iter().find(|field| field.contains('[')) {
            return Err(Error::Input(format!("Invalid field \"{field}\", array type fields are not supported")));
        }
        Ok(Fields(fields.iter().filter(|field| !field.is_empty()).cloned().collect()))
    }

    /// The same, of a stored document.
    pub(super) fn of(&self, document: Document) -> Result<Document, Error> {
        self.project(document).map_err(|error| {
            Error::Store(callboard_store::Error::Failed(format!("a stored document is damaged: {error}")))
        })
    }

    pub(super) fn project(&self, document: Document) -> Result<Document, serde_json::Error> {
        if self.0.is_empty() {
            return Ok(document);
        }
        let value: Value = serde_json::from_str(document.get())?;
        let mut out = Value::Object(Map::new());
        for field in &self.0 {
            if let Some(path) = keys(&value, field) {
                copy(&value, &mut out, &path);
            }
        }
        Ok(to_raw_value(&out)?.into())
    }
}

/// The keys that a dotted path means: at each level the longest key that fits, because keys may hold dots.
fn keys<'a>(value: &'a Value, path: &str) -> Option<Vec<&'a str>> {
    let map = value.as_object()?;
    let fits = |key: &str| path == key || path.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    let mut candidates: Vec<&String> = map.keys().filter(|key| fits(key)).collect();
    candidates.sort_by_key(|key| std::cmp::Reverse(key.len()));
    candidates.into_iter().find_map(|key| {
        let rest = path.strip_prefix(key.as_str())?;
        if rest.is_empty() {
            return Some(vec![key.as_str()]);
        }
        let below = keys(map.get(key)?, rest.strip_prefix('.')?)?;
        Some(std::iter::once(key.as_str()).chain(below).collect())
    })
}

fn copy(from: &Value, to: &mut Value, path: &[&str]) {
    let Some((key, rest)) = path.split_first() else { return };
    let (Some(from), Some(map)) = (from.get(*key), to.as_object_mut()) else { return };
    if rest.is_empty() {
        map.insert((*key).to_owned(), from.clone());
    } else {
        copy(from, map.entry(*key).or_insert_with(|| Value::Object(Map::new())), rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn projected() {
        fn check(fields: &[&str], expected: Value) {
            let entity = json!({
                "kind": "API",
                "metadata": {"name": "a", "annotations": {"github.com/project-slug": "a/b", "github.com": {"x": 1}}},
                "spec": {"tags": ["x"], "type": "openapi"},
            });
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            let fields = Fields::parse(&fields).unwrap();
            let found = fields.project(to_raw_value(&entity).unwrap().into()).unwrap();
            assert_eq!(serde_json::from_str::<Value>(found.get()).unwrap(), expected, "{fields:?}");
        }
        check(&["kind"], json!({"kind": "API"}));
        check(&["metadata.name", "spec.type"], json!({"metadata": {"name": "a"}, "spec": {"type": "openapi"}}));
        check(
            &["metadata.annotations.github.com/project-slug"],
            json!({"metadata": {"annotations": {"github.com/project-slug": "a/b"}}}),
        );
        check(&["metadata.annotations.github.com.x"], json!({"metadata": {"annotations": {"github.com": {"x": 1}}}}));
        check(&["spec.tags", "spec"], json!({"spec": {"tags": ["x"], "type": "openapi"}}));
        check(&["nothing", "metadata.none.x"], json!({}));
    }

    #[test]
    fn refused() {
        let error = Fields::parse(&["spec.tags[0]".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("array type fields are not supported"), "{error}");
    }
}
