//! The portal that `cargo xtask run` shows: the example organisation and bucket, with the clone's own app-config.

use anyhow::Result;
use serde_json::Value;
use tempfile::TempDir;

use crate::bucket::{ACCESS_KEY_ID, Bucket, Options, SECRET_ACCESS_KEY};
use crate::environment;
use crate::portal::TestPortal;

/// Every page, with a name for its picture.
pub const PAGES: &[(&str, &str)] = &[
    ("catalog", "/catalog"),
    ("catalog-apis", "/catalog?filters[kind]=api"),
    ("catalog-nothing-found", "/catalog?filters[text]=nothing-is-called-so"),
    ("component", "/catalog/default/component/book-catalogue"),
    ("domain", "/catalog/default/domain/shop"),
    ("system", "/catalog/default/system/storefront"),
    ("group", "/catalog/default/group/platform"),
    ("user", "/catalog/default/user/ada"),
    ("api", "/catalog/default/api/book-catalogue"),
    ("api-definition", "/catalog/default/api/book-catalogue/definition"),
    ("plugin-tab", "/catalog/default/api/isbn-registry/s3.object"),
    ("apis", "/api-docs"),
    ("plugins", "/plugins"),
    ("plugin", "/plugins/s3"),
    ("plugin-events", "/plugins/s3/events"),
    ("audit", "/audit"),
    ("audit-nothing-found", "/audit?actor=user:default/nobody"),
    ("permissions", "/permissions"),
    ("permissions-allowed", "/permissions?permission=catalog.entity.read"),
    ("permissions-denied", "/permissions?permission=plugin.run&user=user:default/nobody"),
    ("settings", "/settings"),
    ("sign-in", "/sign-in"),
    ("sign-in-failed", "/sign-in?error=no-user"),
    ("gallery", "/gallery"),
    ("no-such-entity", "/catalog/default/component/none"),
    ("no-such-page", "/no/such/page"),
];

/// A running one.
pub struct Example {
    pub portal: TestPortal,
    pub bucket: Bucket,
    _state: TempDir,
}

impl Example {
    /// Starts it and waits until both the files and the bucket have been read.
    pub async fn start() -> Result<Self> {
        let state = tempfile::tempdir()?;
        let bucket = Bucket::open(&Options {
            name: "callboard-examples",
            objects: &environment::root().join("examples/bucket"),
            state: state.path(),
            credentials: (ACCESS_KEY_ID, SECRET_ACCESS_KEY),
            listen: ([127, 0, 0, 1], 0).into(),
        })
        .await?;
        let portal = TestPortal::start_example(&bucket).await?;
        portal.idle("s3", crate::s3::PROVIDER).await?;
        portal
            .until("all nine kinds", async || {
                let facets: Value = portal.client().json("api/catalog/entity-facets?facet=kind").await?;
                Ok(facets.pointer("/facets/kind").and_then(Value::as_array).is_some_and(|kinds| kinds.len() == 9))
            })
            .await?;
        Ok(Self { portal, bucket, _state: state })
    }
}
