//! Configurations of the S3 plugin over a test's bucket.

use anyhow::Result;
use serde_json::{Value, json};

use crate::bucket::{ACCESS_KEY_ID, Bucket, SECRET_ACCESS_KEY};
use crate::environment;
use crate::portal::{merge, with_plugin};

/// The provider of a configuration that has one bucket.
pub const PROVIDER: &str = "awsS3-provider:default";

/// What the S3 plugin needs to read a bucket at an endpoint of its own.
#[must_use]
pub fn grant() -> Value {
    json!({
        "log": true,
        "config": ["catalog.providers.awsS3", "integrations.awsS3"],
        "http": ["GET config:integrations.awsS3.endpoint"],
    })
}

/// A portal over the bucket. It reads once at the start and then when it is told to.
pub fn config(bucket: &Bucket) -> Result<Value> {
    config_with(bucket, json!({}))
}

/// The same with other settings of the bucket: a prefix, a schedule, another name.
pub fn config_with(bucket: &Bucket, settings: Value) -> Result<Value> {
    let mut provider = json!({
        "bucketName": bucket.name(),
        "region": "eu-central-1",
        "schedule": { "frequency": "PT10H", "timeout": "PT3M" },
    });
    merge(&mut provider, settings);
    let mut config = with_plugin("s3", &environment::plugin("s3")?, &grant());
    let rest = json!({
        "integrations": { "awsS3": [{
            "endpoint": bucket.endpoint(),
            "accessKeyId": ACCESS_KEY_ID,
            "secretAccessKey": SECRET_ACCESS_KEY,
            "s3ForcePathStyle": true,
        }] },
        "catalog": { "providers": { "awsS3": provider } },
    });
    merge(&mut config, rest);
    Ok(config)
}

/// A descriptor of a component.
#[must_use]
pub fn component(name: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{ name: {name} }}\n\
         spec: {{ type: service, lifecycle: production, owner: user:guest }}\n"
    )
}
