//! A cursor that a client sends back: the text as it comes, and, so that the fuzzer need not find out about base64, the
//! JSON within. Through the catalog's own query, because what a cursor says becomes a statement of the database.
#![no_main]

use std::sync::OnceLock;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_catalog::{Catalog, Error, ListQuery, Query, ReadFailure, Reader, Reading, Settings};
use callboard_model::access::Access;
use callboard_store::{DatabaseConfig, Db};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use url::Url;

fuzz_target!(|input: (bool, &str)| {
    let (within, text) = input;
    let cursor = if within { STANDARD.encode(text) } else { text.to_owned() };
    let (runtime, catalog) = catalog();
    runtime.block_on(async {
        let query = Query { cursor: Some(cursor.clone()), limit: 3, ..Query::default() };
        check(catalog.query(&Access::All, &query).await.map(|_| ()), &cursor);
        let query = ListQuery { after: Some(cursor.clone()), limit: Some(3), ..ListQuery::default() };
        check(catalog.list(&Access::All, &query).await.map(|_| ()), &cursor);
    });
});

/// A cursor that makes no sense is the request's fault; never the database's.
fn check(answer: Result<(), Error>, cursor: &str) {
    assert!(matches!(answer, Ok(()) | Err(Error::Input(_))), "{cursor}: {answer:?}");
}

fn catalog() -> &'static (Runtime, Catalog) {
    static CATALOG: OnceLock<(Runtime, Catalog)> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let catalog = runtime.block_on(async {
            let db = Db::open(&DatabaseConfig::Memory).await.expect("a database");
            Catalog::open(db, Nothing, Settings::default()).await.expect("a catalog")
        });
        (runtime, catalog)
    })
}

/// Nothing is read.
struct Nothing;

#[async_trait]
impl Reader for Nothing {
    async fn read(&self, url: &Url, _: Option<&str>) -> Result<Reading, ReadFailure> {
        Err(ReadFailure { message: url.to_string(), not_found: true, transient: false })
    }

    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        base.join(relative).map_err(|error| error.to_string())
    }
}
