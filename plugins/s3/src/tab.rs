//! The extension point `ui`: the tab `object` shows where an entity came from.

use callboard_sdk::ui::{Bytes, Card, EmptyState, Input, KeyValues, Link, Node, Time, Tree};
use callboard_sdk::{Context, Error, SafeUrl, Ui};
use serde_json::Value;

use crate::item::fact;

pub(crate) struct ObjectTab;

impl Ui for ObjectTab {
    fn render(_: &Context, extension: &str, input: &Input) -> Result<Tree, Error> {
        if extension != "object" {
            return Err(Error::NotFound(format!("there is no extension `{extension}`")));
        }
        Ok(Tree::of(object(input.entity.as_ref())))
    }
}

fn object(entity: Option<&Value>) -> Node {
    let fact =
        |name: &str| entity?.get("metadata")?.get("annotations")?.get(name)?.as_str().filter(|value| !value.is_empty());
    if fact(fact::KEY).is_none() {
        return EmptyState::new("Not from a bucket")
            .text("Nothing is known of an S3 object behind this entity.")
            .into();
    }
    let rows = [
        ("Bucket", fact(fact::BUCKET).map(Node::from)),
        ("Key", fact(fact::KEY).map(Node::from)),
        ("Region", fact(fact::REGION).map(Node::from)),
        ("Version (ETag)", fact(fact::ETAG).map(Node::from)),
        (
            "Size",
            fact(fact::SIZE).map(|size| size.parse().map_or_else(|_| size.into(), |size| Bytes::new(size).into())),
        ),
        ("Last modified", fact(fact::LAST_MODIFIED).map(|at| Time::new(at).into())),
        ("Object", fact(fact::URL).map(link)),
    ];
    let known = rows.into_iter().filter_map(|(key, value)| Some((key, value?)));
    Card::new("S3 object").child(known.fold(KeyValues::new(), |facts, (key, value)| facts.item(key, value))).into()
}

fn link(url: &str) -> Node {
    match SafeUrl::parse(url) {
        Ok(href) => Link::new(url, href).into(),
        Err(_) => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renders_what_is_known() {
        let entity = json!({ "metadata": { "annotations": {
            "s3.callboard.dev/bucket": "sample",
            "s3.callboard.dev/key": "apis/petstore.yaml",
            "s3.callboard.dev/etag": "abc",
            "s3.callboard.dev/size": "1234",
            "s3.callboard.dev/last-modified": "2026-11-05T10:51:54.000Z",
            "s3.callboard.dev/url": "https://sample.s3.us-east-1.amazonaws.com/apis/petstore.yaml",
        } } });
        let url = "https://sample.s3.us-east-1.amazonaws.com/apis/petstore.yaml";
        assert_eq!(
            serde_json::to_value(object(Some(&entity))).unwrap(),
            json!({ "type": "card", "title": "S3 object", "children": [{ "type": "key-values", "items": [
                { "key": "Bucket", "value": { "type": "text", "text": "sample" } },
                { "key": "Key", "value": { "type": "text", "text": "apis/petstore.yaml" } },
                { "key": "Version (ETag)", "value": { "type": "text", "text": "abc" } },
                { "key": "Size", "value": { "type": "bytes", "size": 1234 } },
                { "key": "Last modified", "value": { "type": "time", "at": "2026-11-05T10:51:54.000Z" } },
                { "key": "Object", "value": { "type": "link", "text": url, "href": url } },
            ] }] })
        );
    }

    #[test]
    fn renders_what_is_not() {
        for entity in [None, Some(json!({})), Some(json!({ "metadata": { "annotations": { "a": "b" } } }))] {
            assert!(matches!(object(entity.as_ref()), Node::EmptyState(_)));
        }
        let odd = json!({ "metadata": { "annotations": {
            "s3.callboard.dev/key": "k", "s3.callboard.dev/size": "many", "s3.callboard.dev/url": "javascript:alert(1)",
        } } });
        let json = serde_json::to_string(&object(Some(&odd))).unwrap();
        assert!(json.contains("many") && !json.contains("\"link\""), "{json}");
    }
}
