//! An object of the listing as the catalog takes it: a generated Location with what is known of the object.

use std::collections::BTreeMap;

use callboard_sdk::{Entity, Error, LocationRef, ProvidedEntity, ProvidedItem};
use serde_json::json;

use crate::bucket::Bucket;
use crate::listing::Object;

/// Annotations that this plugin sets, and its tab shows.
pub(crate) mod fact {
    pub(crate) const BUCKET: &str = "s3.callboard.dev/bucket";
    pub(crate) const KEY: &str = "s3.callboard.dev/key";
    pub(crate) const ETAG: &str = "s3.callboard.dev/etag";
    pub(crate) const SIZE: &str = "s3.callboard.dev/size";
    pub(crate) const LAST_MODIFIED: &str = "s3.callboard.dev/last-modified";
    pub(crate) const REGION: &str = "s3.callboard.dev/region";
    pub(crate) const URL: &str = "s3.callboard.dev/url";
}

/// The Location of an object; none for what is not a file, such as a folder's marker.
pub(crate) fn item(bucket: &Bucket, object: &Object) -> Result<Option<ProvidedItem>, Error> {
    if is_skipped(&object.key) {
        return Ok(None);
    }
    let url = bucket.object(&object.key);
    let location = LocationRef { kind: "url".to_owned(), target: url.clone() };
    let entity = Entity::from_value(json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Location",
        "metadata": {
            "name": location.generated_name(),
            "annotations": {
                "backstage.io/managed-by-location": location.to_string(),
                "backstage.io/managed-by-origin-location": location.to_string(),
            },
        },
        "spec": { "type": "url", "target": url, "presence": "required" },
    }))
    .map_err(|error| Error::Invalid(format!("the Location of the object `{}`: {error}", object.key)))?;
    let etag = object.etag.clone();
    let version = etag.clone().unwrap_or_else(|| format!("{}:{}", object.size, object.last_modified));
    let mut facts = BTreeMap::from([
        (fact::BUCKET.to_owned(), bucket.name.clone()),
        (fact::KEY.to_owned(), object.key.clone()),
        (fact::SIZE.to_owned(), object.size.to_string()),
        (fact::LAST_MODIFIED.to_owned(), object.last_modified.clone()),
        (fact::REGION.to_owned(), bucket.region.clone()),
        (fact::URL.to_owned(), url),
    ]);
    facts.extend(etag.map(|etag| (fact::ETAG.to_owned(), etag)));
    Ok(Some(ProvidedItem::Entity(Box::new(ProvidedEntity { entity, version: Some(version), facts }))))
}

/// Folder markers, and keys that a URL would resolve to another object.
fn is_skipped(key: &str) -> bool {
    key.is_empty() || key.ends_with('/') || key.split('/').any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{BucketSettings, Integration};

    fn bucket() -> Bucket {
        let settings = BucketSettings {
            bucket_name: "sample".to_owned(),
            prefix: None,
            region: None,
            schedule: None,
            credential: None,
        };
        Bucket::new(&settings, &Integration::default()).unwrap()
    }

    #[test]
    fn keys_that_are_no_files() {
        let check = |key: &str, taken: bool| {
            let object = Object { key: key.to_owned(), ..Object::default() };
            assert_eq!(item(&bucket(), &object).unwrap().is_some(), taken, "{key}");
        };
        check("a.yaml", true);
        check("a/b", true);
        check("a..b/.c", true);
        check("a//b", true);
        check("folder/", false);
        check("a/../b", false);
        check("./a", false);
        check("..", false);
        check("", false);
    }

    #[test]
    fn a_location() {
        let object = Object {
            key: "apis/pet store.yaml".to_owned(),
            etag: Some("abc".to_owned()),
            size: 12,
            last_modified: "2026-11-05T10:51:54.000Z".to_owned(),
        };
        let Some(ProvidedItem::Entity(provided)) = item(&bucket(), &object).unwrap() else {
            panic!("no entity");
        };
        let url = "https://sample.s3.us-east-1.amazonaws.com/apis/pet%20store.yaml";
        assert_eq!(provided.entity.kind(), "Location");
        assert_eq!(provided.entity.spec("target"), Some(&json!(url)));
        assert_eq!(provided.entity.spec("presence"), Some(&json!("required")));
        assert_eq!(provided.entity.annotation("backstage.io/managed-by-location"), Some(format!("url:{url}").as_str()));
        assert_eq!(provided.entity.name().len(), "generated-".len() + 40);
        assert_eq!(provided.version.as_deref(), Some("abc"));
        assert_eq!(provided.facts.get(fact::KEY).map(String::as_str), Some("apis/pet store.yaml"));
        assert_eq!(provided.facts.get(fact::SIZE).map(String::as_str), Some("12"));

        let Some(ProvidedItem::Entity(provided)) = item(&bucket(), &Object { etag: None, ..object }).unwrap() else {
            panic!("no entity");
        };
        assert_eq!(provided.version.as_deref(), Some("12:2026-11-05T10:51:54.000Z"));
        assert!(!provided.facts.contains_key(fact::ETAG));
    }
}
