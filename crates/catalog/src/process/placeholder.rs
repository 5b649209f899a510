//! Placeholders: `$text`, `$json` and `$yaml`, anywhere in an entity.

use callboard_model::entity::Entity;
use callboard_model::location_ref::LocationRef;
use callboard_model::yaml;
use serde_json::Value;
use url::Url;

use super::fetch::Fetch;
use super::{ProcessingError, git};
use crate::files::normalised;
use crate::limits::PLACEHOLDERS;

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
        let content = placeholder.content(location, fetch).await?;
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
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Kind::Text => "$text",
            Kind::Json => "$json",
            Kind::Yaml => "$yaml",
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
                let kind = [Kind::Text, Kind::Json, Kind::Yaml].into_iter().find(|kind| kind.key() == key)?;
                Some((kind, argument.clone()))
            });
            if let Some((kind, argument)) = kind {
                found.push(Placeholder { pointer: pointer.clone(), kind, argument });
                return;
            }
            for (key, value) in map {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
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

impl Placeholder {
    async fn content(&self, location: &LocationRef, fetch: &mut Fetch) -> Result<Value, ProcessingError> {
        let fail = |what: String| ProcessingError::input(format!("Placeholder {} {what}", self.kind.key()));
        let Some(argument) = self.argument.as_str() else {
            return Err(fail(
                "expected a string value parameter, in the form of an absolute URL or a relative path".to_owned(),
            ));
        };
        let body = match Url::parse(argument) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url_content(&url, location, fetch).await,
            Ok(url) => {
                Err(format!("could not read location {url}: only http and https URLs and relative paths are read"))
            }
            Err(_) if location.kind == "url" => {
                let base = Url::parse(&location.target).map_err(|error| fail(bad_base(location, &error)))?;
                match fetch.resolve(&base, argument) {
                    Ok(url) => url_content(&url, location, fetch).await,
                    Err(reason) => Err(format!("could not form a URL out of {base} and {argument}: {reason}")),
                }
            }
            Err(_) if location.kind == "file" => file_content(argument, location, fetch).await,
            Err(_) => Err(format!("could not form a URL out of {location} and {argument}")),
        }
        .map_err(fail)?;
        let text = String::from_utf8(body).map_err(|_| fail(format!("{argument} is not UTF-8 text")))?;
        match self.kind {
            Kind::Text => Ok(Value::String(text)),
            Kind::Json => serde_json::from_str(&text)
                .map_err(|error| fail(format!("failed to parse JSON data at {argument}, {error}"))),
            Kind::Yaml => {
                yaml::value(&text).map_err(|error| fail(format!("failed to parse YAML data at {argument}, {error}")))
            }
        }
    }
}

async fn url_content(url: &Url, location: &LocationRef, fetch: &mut Fetch) -> Result<Vec<u8>, String> {
    if let Ok(base) = Url::parse(&location.target)
        && let (Some(from), Some(to)) = (git::repository(&base), git::repository(url))
        && from != to
    {
        return Err(format!(
            "may only reference files from the same repository as the entity: {url} is in {to}, the entity in {from}"
        ));
    }
    let body = fetch.url(url).await.map_err(|failure| format!("could not read location {url}, {}", failure.message))?;
    Ok(body.to_vec())
}

/// A deliberate extension: next to a file that the catalog may read, other files may be named.
async fn file_content(argument: &str, location: &LocationRef, fetch: &mut Fetch) -> Result<Vec<u8>, String> {
    let entity_file = fetch.files().absolute(&location.target);
    let relative = std::path::Path::new(argument);
    if argument.is_empty() || relative.is_absolute() {
        return Err(format!(
            "could not read location {argument}: write a path that is relative to the entity's file, such as ./openapi.yaml"
        ));
    }
    let folder = entity_file.parent().unwrap_or(&entity_file);
    let path = normalised(&folder.join(relative));
    let body = fetch
        .file(&path)
        .await
        .map_err(|failure| format!("could not read location {argument}, {}", failure.message))?;
    Ok(body.to_vec())
}

fn bad_base(location: &LocationRef, error: &url::ParseError) -> String {
    format!("could not form a URL out of {}: {error}", location.target)
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
        // Anything beside it, or another key, and it is data.
        check(json!({"a": {"$text": "./a", "b": 1}, "c": {"$ref": "#/x"}, "d": {"$openapi": "x"}}), &[]);
        check(json!({"a": {"$text": {"$text": "x"}}}), &[("/a", Kind::Text)]);
    }
}
