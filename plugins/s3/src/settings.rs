//! What app-config says: `catalog.providers.awsS3` and `integrations.awsS3`.

use std::collections::BTreeMap;

use callboard_sdk::{Error, Schedule};
use serde::Deserialize;
use serde_json::Value;

/// One bucket to read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BucketSettings {
    pub(crate) bucket_name: String,
    #[serde(default)]
    pub(crate) prefix: Option<String>,
    #[serde(default)]
    pub(crate) region: Option<String>,
    #[serde(default)]
    pub(crate) schedule: Option<Schedule>,
    /// A handle: the host signs with what is behind it.
    #[serde(default)]
    pub(crate) credential: Option<String>,
}

/// Where S3 is, when it is not Amazon's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Integration {
    pub(crate) endpoint: Option<String>,
    pub(crate) s3_force_path_style: bool,
}

/// By provider id. app-config has either one bucket, whose id is then `default`, or a map.
pub(crate) fn buckets(value: Option<Value>) -> Result<BTreeMap<String, BucketSettings>, Error> {
    let Some(value) = value else { return Ok(BTreeMap::new()) };
    let read = |id: &str, value: Value| -> Result<BucketSettings, Error> {
        serde_json::from_value(value)
            .map_err(|error| Error::Invalid(format!("catalog.providers.awsS3{id} in app-config: {error}")))
    };
    if value.get("bucketName").is_some_and(Value::is_string) {
        return Ok(BTreeMap::from([("default".to_owned(), read("", value)?)]));
    }
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(id, value)| Ok((id.clone(), read(&format!(".{id}"), value)?))).collect()
        }
        _ => Err(Error::Invalid(
            "catalog.providers.awsS3 in app-config must be one bucket (with bucketName) or a map of them".to_owned(),
        )),
    }
}

/// The first entry is the one that counts for discovery, as in Backstage.
pub(crate) fn integration(value: Option<Value>) -> Result<Integration, Error> {
    let first = match value {
        Some(Value::Array(items)) => items.into_iter().next(),
        other => other,
    };
    first.map_or_else(
        || Ok(Integration::default()),
        |value| {
            serde_json::from_value(value)
                .map_err(|error| Error::Invalid(format!("integrations.awsS3 in app-config: {error}")))
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_bucket_or_a_map() {
        let check = |value: Value, expected: Result<&[(&str, &str)], &str>| match (buckets(Some(value)), expected) {
            (Ok(found), Ok(expected)) => {
                let found: Vec<_> =
                    found.iter().map(|(id, settings)| (id.as_str(), settings.bucket_name.as_str())).collect();
                assert_eq!(found, expected);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (result, _) => panic!("{result:?}"),
        };
        check(json!({ "bucketName": "a" }), Ok(&[("default", "a")]));
        check(json!({ "x": { "bucketName": "a" }, "y": { "bucketName": "b" } }), Ok(&[("x", "a"), ("y", "b")]));
        // A provider may be called like the key.
        check(json!({ "bucketName": { "bucketName": "a" } }), Ok(&[("bucketName", "a")]));
        check(json!({}), Ok(&[]));
        check(json!({ "x": { "prefix": "a" } }), Err("catalog.providers.awsS3.x"));
        check(json!([]), Err("one bucket"));
        assert_eq!(buckets(None), Ok(BTreeMap::new()));
    }

    #[test]
    fn integrations() {
        let check = |value: Option<Value>, endpoint: Option<&str>, path_style: bool| {
            let expected = Integration { endpoint: endpoint.map(str::to_owned), s3_force_path_style: path_style };
            assert_eq!(integration(value), Ok(expected));
        };
        check(None, None, false);
        check(Some(json!({ "endpoint": "http://localhost:9000" })), Some("http://localhost:9000"), false);
        check(Some(json!([{ "s3ForcePathStyle": true }, { "endpoint": "http://other" }])), None, true);
        check(Some(json!([])), None, false);
    }
}
