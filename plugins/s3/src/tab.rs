//! The extension point `ui`: the tab `object` shows where an entity came from.

use callboard_sdk::ui::{Input, KeyValue, Node, Tree};
use callboard_sdk::{Context, Error, SafeUrl, Ui};
use serde_json::Value;

use crate::item::fact;

pub(crate) struct ObjectTab;

impl Ui for ObjectTab {
    fn render(_: &Context, extension: &str, input: &Input) -> Result<Tree, Error> {
        if extension != "object" {
            return Err(Error::NotFound(format!("there is no extension `{extension}`")));
        }
        Ok(Tree { root: object(input.entity.as_ref()), poll: None })
    }
}

fn object(entity: Option<&Value>) -> Node {
    let fact =
        |name: &str| entity?.get("metadata")?.get("annotations")?.get(name)?.as_str().filter(|value| !value.is_empty());
    let text = |value: &str| Node::Text { text: value.to_owned() };
    if fact(fact::KEY).is_none() {
        return Node::EmptyState {
            title: "Not from a bucket".to_owned(),
            text: Some("Nothing is known of an S3 object behind this entity.".to_owned()),
            link: None,
        };
    }
    let rows = [
        ("Bucket", fact(fact::BUCKET).map(text)),
        ("Key", fact(fact::KEY).map(text)),
        ("Region", fact(fact::REGION).map(text)),
        ("Version (ETag)", fact(fact::ETAG).map(text)),
        ("Size", fact(fact::SIZE).map(|size| size.parse().map_or_else(|_| text(size), |size| Node::Bytes { size }))),
        ("Last modified", fact(fact::LAST_MODIFIED).map(|at| Node::Time { at: at.to_owned() })),
        ("Object", fact(fact::URL).map(link)),
    ];
    let items = rows
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| KeyValue { key: key.to_owned(), value }))
        .collect();
    Node::Card { title: "S3 object".to_owned(), children: vec![Node::KeyValues { items }] }
}

fn link(url: &str) -> Node {
    match SafeUrl::parse(url) {
        Ok(href) => Node::Link { text: url.to_owned(), href },
        Err(_) => Node::Text { text: url.to_owned() },
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
            assert!(matches!(object(entity.as_ref()), Node::EmptyState { .. }));
        }
        let odd = json!({ "metadata": { "annotations": {
            "s3.callboard.dev/key": "k", "s3.callboard.dev/size": "many", "s3.callboard.dev/url": "javascript:alert(1)",
        } } });
        let json = serde_json::to_string(&object(Some(&odd))).unwrap();
        assert!(json.contains("many") && !json.contains("\"link\""), "{json}");
    }
}
