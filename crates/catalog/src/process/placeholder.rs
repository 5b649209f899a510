//! Placeholders anywhere in an entity: `$text`, `$json` and `$yaml` bring a file in, `$openapi` and `$asyncapi` an API
//! description with all the files that it refers to.

use callboard_model::entity::Entity;
use callboard_model::location_ref::LocationRef;
use callboard_model::yaml;
use serde_json::Value;

use super::ProcessingError;
use super::fetch::Fetch;
use crate::limits::PLACEHOLDERS;

mod bundle;
mod target;

use target::Target;

/// Puts content where an entity only names it. What comes in is not looked through again.
pub(super) async fn resolve(
    entity: Entity,
    location: &LocationRef,
    fetch: &mut Fetch,
) -> Result<Entity, ProcessingError> {
    let mut value = entity.into_value();
    let mut found = Vec::new();
    find(&value, &mut String::new(), &mut found);
    if found.len() > PLACEHOLDERS {
        let message = format!("the entity has {} placeholders, and at most {PLACEHOLDERS} are resolved", found.len());
        return Err(ProcessingError::input(message));
    }
    for placeholder in found {
        let content = placeholder.content(location, fetch).await;
        let content = content
            .map_err(|reason| ProcessingError::input(format!("Placeholder {} {reason}", placeholder.kind.key())))?;
        if let Some(place) = value.pointer_mut(&placeholder.pointer) {
            *place = content;
        }
    }
    Entity::from_value(value).map_err(ProcessingError::input)
}

struct Placeholder {
    pointer: String,
    kind: Kind,
    argument: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Json,
    Yaml,
    OpenApi,
    AsyncApi,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Text, Kind::Json, Kind::Yaml, Kind::OpenApi, Kind::AsyncApi];

    fn key(self) -> &'static str {
        match self {
            Kind::Text => "$text",
            Kind::Json => "$json",
            Kind::Yaml => "$yaml",
            Kind::OpenApi => "$openapi",
            Kind::AsyncApi => "$asyncapi",
        }
    }
}

/// An object with one key that is a placeholder's; every other object is left as it is, such as a schema's `$ref`.
fn find(value: &Value, pointer: &mut String, found: &mut Vec<Placeholder>) {
    let length = pointer.len();
    match value {
        Value::Object(map) => {
            let only = map.iter().next().filter(|_| map.len() == 1);
            let kind = only.and_then(|(key, argument)| {
                let kind = Kind::ALL.into_iter().find(|kind| kind.key() == key)?;
                Some((kind, argument.clone()))
            });
            if let Some((kind, argument)) = kind {
                found.push(Placeholder { pointer: pointer.clone(), kind, argument });
                return;
            }
            for (key, value) in map {
                pointer.push('/');
                pointer.push_str(&escaped(key));
                find(value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                find(value, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// A key as a JSON pointer has it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl Placeholder {
    /// What comes in its place, or why nothing does.
    async fn content(&self, location: &LocationRef, fetch: &mut Fetch) -> Result<Value, String> {
        let argument = self.argument.as_str().ok_or_else(|| {
            "expected a string value parameter, in the form of an absolute URL or a relative path".to_owned()
        })?;
        let target = Target::of(argument, location, fetch)?;
        let text = target.text(argument, location, fetch).await?;
        let parsed = || yaml::value(&text).map_err(|error| format!("failed to parse YAML data at {argument}, {error}"));
        match self.kind {
            Kind::Text => Ok(Value::String(text)),
            Kind::Json => {
                serde_json::from_str(&text).map_err(|error| format!("failed to parse JSON data at {argument}, {error}"))
            }
            Kind::Yaml => parsed(),
            Kind::OpenApi | Kind::AsyncApi => {
                let description = parsed()?;
                bundle::bundle(target, argument, description, location, fetch).await.map(Value::String)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn found() {
        fn check(value: Value, expected: &[(&str, Kind)]) {
            let mut found = Vec::new();
            find(&value, &mut String::new(), &mut found);
            let found: Vec<_> = found.iter().map(|found| (found.pointer.as_str(), found.kind)).collect();
            assert_eq!(found, expected, "{value}");
        }
        check(json!({"spec": {"definition": {"$text": "./a"}}}), &[("/spec/definition", Kind::Text)]);
        check(json!({"a/b": [1, {"$json": "x"}, {"$yaml": "y"}]}), &[("/a~1b/1", Kind::Json), ("/a~1b/2", Kind::Yaml)]);
        check(
            json!({"a": {"$openapi": "x"}, "b": {"$asyncapi": "y"}}),
            &[("/a", Kind::OpenApi), ("/b", Kind::AsyncApi)],
        );
        // Anything beside it, or another key, and it is data.
        check(json!({"a": {"$text": "./a", "b": 1}, "c": {"$ref": "#/x"}, "d": {"$graphql": "x"}}), &[]);
        check(json!({"a": {"$text": {"$text": "x"}}}), &[("/a", Kind::Text)]);
    }
}
