//! An entity as the pages see it.

use std::sync::Arc;

use callboard_model::entity_ref::EntityRef;
use callboard_model::safe_url::SafeUrl;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An entity as the API hands it out, whole or in part. Whatever a file has put into it, reading it never fails.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item(Arc<Value>);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

impl From<Value> for Item {
    fn from(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

/// A relation to another entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    /// `ownedBy` …
    pub kind: String,
    /// `kind:namespace/name`.
    pub target: String,
}

/// A link that an entity carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The words.
    pub title: String,
    /// Where to; none where the URL is not one that a page may link to.
    pub href: Option<SafeUrl>,
}

/// Where an entity was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// As the annotation has it, without its type.
    pub target: String,
    /// Where a reader can look at it.
    pub href: Option<SafeUrl>,
}

impl Item {
    /// The whole of it.
    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    /// The text at a path of keys.
    fn text(&self, path: &[&str]) -> Option<&str> {
        path.iter().try_fold(&*self.0, |value, key| value.get(key))?.as_str().filter(|text| !text.is_empty())
    }

    /// `Component`, as its file has it.
    pub(crate) fn kind(&self) -> &str {
        self.text(&["kind"]).unwrap_or_default()
    }

    /// Whether it is of a kind, in whatever case.
    pub(crate) fn is_kind(&self, kind: &str) -> bool {
        self.kind().eq_ignore_ascii_case(kind)
    }

    /// `default` where it has none.
    pub(crate) fn namespace(&self) -> &str {
        self.metadata("namespace").unwrap_or("default")
    }

    /// Its name within kind and namespace.
    pub(crate) fn name(&self) -> &str {
        self.metadata("name").unwrap_or_default()
    }

    /// Its address in the catalog.
    pub(crate) fn reference(&self) -> EntityRef {
        EntityRef::new(self.kind(), self.namespace(), self.name())
    }

    /// What people call it.
    pub(crate) fn title(&self) -> &str {
        self.metadata("title").or_else(|| self.text(&["spec", "profile", "displayName"])).unwrap_or_else(|| self.name())
    }

    /// A text of `metadata`.
    pub(crate) fn metadata(&self, key: &str) -> Option<&str> {
        self.text(&["metadata", key])
    }

    /// A text of `spec`.
    pub(crate) fn spec(&self, key: &str) -> Option<&str> {
        self.text(&["spec", key])
    }

    /// A text of `spec.profile`.
    pub(crate) fn profile(&self, key: &str) -> Option<&str> {
        self.text(&["spec", "profile", key])
    }

    /// What makes this entity in this state.
    pub(crate) fn version(&self) -> String {
        format!("{}/{}", self.metadata("uid").unwrap_or_default(), self.metadata("etag").unwrap_or_default())
    }

    /// `metadata.tags`.
    pub(crate) fn tags(&self) -> Vec<String> {
        let tags = self.0.get("metadata").and_then(|metadata| metadata.get("tags")).and_then(Value::as_array);
        tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// An annotation.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.text(&["metadata", "annotations", key])
    }

    /// A reference in `spec`, completed as its field says.
    pub(crate) fn spec_ref(&self, key: &str, default_kind: &str) -> Option<EntityRef> {
        EntityRef::parse(self.spec(key)?, Some(default_kind), Some(self.namespace())).ok()
    }

    /// `metadata.links`.
    pub(crate) fn links(&self) -> Vec<Link> {
        let links = self.0.get("metadata").and_then(|metadata| metadata.get("links")).and_then(Value::as_array);
        let links = links.into_iter().flatten().filter_map(|link| {
            let url = link.get("url").and_then(Value::as_str)?;
            let title = link.get("title").and_then(Value::as_str).filter(|title| !title.is_empty()).unwrap_or(url);
            Some(Link { title: title.to_owned(), href: SafeUrl::parse(url).ok() })
        });
        links.collect()
    }

    /// Relations in both directions.
    pub(crate) fn relations(&self) -> Vec<Relation> {
        let relations = self.0.get("relations").and_then(Value::as_array);
        let relations = relations.into_iter().flatten().filter_map(|relation| {
            let text = |key| relation.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(Relation { kind: text("type")?, target: text("targetRef")? })
        });
        relations.collect()
    }

    /// The targets of one type of relation.
    pub(crate) fn related(&self, kind: &str) -> Vec<String> {
        self.relations().into_iter().filter(|relation| relation.kind == kind).map(|relation| relation.target).collect()
    }

    /// What went wrong when it was last read, level and message.
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let items = self.0.get("status").and_then(|status| status.get("items")).and_then(Value::as_array);
        let problems = items.into_iter().flatten().filter_map(|item| {
            let text = |key| item.get(key).and_then(Value::as_str);
            let level = text("level").unwrap_or("error");
            Some((level.to_owned(), text("message")?.to_owned()))
        });
        problems.filter(|(level, _)| level != "info").collect()
    }

    /// Whether nothing brings it in any more.
    pub(crate) fn is_orphan(&self) -> bool {
        self.annotation("backstage.io/orphan") == Some("true")
    }

    /// Where it was read from.
    pub(crate) fn source(&self) -> Option<Source> {
        let location = self
            .annotation("backstage.io/source-location")
            .or_else(|| self.annotation("backstage.io/managed-by-location"))?;
        let target = location.split_once(':').map_or(location, |(_, target)| target);
        let view = self.annotation("backstage.io/view-url").unwrap_or(target);
        let href = SafeUrl::parse(view).ok().filter(SafeUrl::is_external);
        Some(Source { target: target.to_owned(), href })
    }

    /// Where it can be changed.
    pub(crate) fn edit_url(&self) -> Option<SafeUrl> {
        SafeUrl::parse(self.annotation("backstage.io/edit-url")?).ok().filter(SafeUrl::is_external)
    }
}

/// A complete reference.
pub(crate) fn parse_ref(text: &str) -> Option<EntityRef> {
    EntityRef::parse(text, None, Some("default")).ok()
}

/// The path of an entity's page.
pub(crate) fn href(reference: &EntityRef) -> String {
    format!("/catalog/{}/{}/{}", reference.namespace(), reference.kind(), reference.name())
}

/// A reference as people write it: without the namespace where that is the default one.
pub(crate) fn short_name(reference: &EntityRef) -> String {
    match reference.namespace() {
        "default" => reference.name().to_owned(),
        namespace => format!("{namespace}/{}", reference.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entity_says_what_it_is() {
        let item = Item::from(json!({
            "kind": "API",
            "metadata": {
                "name": "petstore",
                "tags": ["rest", 7],
                "links": [{ "url": "https://e.example/x" }, { "url": "javascript:alert(1)", "title": "bad" }, {}],
                "annotations": {
                    "backstage.io/managed-by-location": "url:https://b.example/pet.yaml",
                    "backstage.io/edit-url": "javascript:alert(1)",
                },
            },
            "spec": { "owner": "user:guest", "type": 3, "profile": { "displayName": "Pets" } },
            "relations": [{ "type": "ownedBy", "targetRef": "user:default/guest" }, { "type": "broken" }],
            "status": { "items": [{ "level": "error", "message": "no" }, { "level": "info", "message": "hm" }] },
        }));
        assert_eq!(item.title(), "Pets");
        assert_eq!(href(&item.reference()), "/catalog/default/api/petstore");
        assert_eq!(item.tags(), ["rest"]);
        assert_eq!(item.spec("type"), None);
        assert_eq!(item.spec_ref("owner", "group").unwrap().to_string(), "user:default/guest");
        assert_eq!(item.related("ownedBy"), ["user:default/guest"]);
        assert_eq!(item.problems(), [("error".to_owned(), "no".to_owned())]);
        assert_eq!(item.edit_url(), None);
        let links = item.links();
        assert_eq!(links.iter().map(|link| link.href.is_some()).collect::<Vec<_>>(), [true, false]);
        let source = item.source().unwrap();
        assert_eq!((source.target.as_str(), source.href.is_some()), ("https://b.example/pet.yaml", true));
        assert!(!item.is_orphan());
    }

    #[test]
    fn nothing_is_an_entity_too() {
        let item = Item::from(json!(null));
        assert_eq!((item.kind(), item.name(), item.namespace(), item.title()), ("", "", "default", ""));
        assert!(item.links().is_empty() && item.relations().is_empty() && item.source().is_none());
    }

    #[test]
    fn references_are_short_where_they_can_be() {
        for (text, short) in [("group:default/a", Some("a")), ("group:x/a", Some("x/a")), ("a", None), ("", None)] {
            assert_eq!(parse_ref(text).map(|reference| short_name(&reference)).as_deref(), short, "{text}");
        }
    }
}
