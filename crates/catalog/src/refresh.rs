//! Refreshing by key: what somebody calls who knows that a file or a URL changed, and not which entities that concerns.

use std::path::PathBuf;

use callboard_egress::UrlPattern;
use callboard_store::{Error, Sql, Tx, args, query};
use url::Url;

use crate::engine::{Shared, now};
use crate::graph::{enqueue, forget_results};
use crate::process::{SEARCH, stored_key};

/// Has everything processed again that depends on one of these keys. Answers with how many entities that are.
///
/// A file that is new is what no entity depends on yet, so that what depends on a pattern is refreshed for every file
/// that the pattern stands for.
pub(crate) async fn refresh(shared: &Shared, keys: &[String]) -> Result<usize, Error> {
    let mut wanted = Wanted::default();
    keys.iter().for_each(|key| wanted.add(key, shared));
    let mut tx = shared.db.begin().await?;
    let mut ids = wanted.by_pattern(&mut tx, shared).await?;
    let mut sql = Sql::new();
    sql.push("SELECT DISTINCT entity_id FROM dependency WHERE key IN ").list(wanted.keys);
    for row in tx.fetch_all(sql).await? {
        ids.push(row.get(0)?);
    }
    ids.sort_unstable();
    ids.dedup();
    forget_results(&mut tx, &ids).await?;
    enqueue(&mut tx, &ids, now(), true).await?;
    tx.commit().await?;
    shared.queued();
    Ok(ids.len())
}

#[derive(Default)]
struct Wanted {
    /// As the table has them.
    keys: Vec<String>,
    urls: Vec<Url>,
    paths: Vec<PathBuf>,
}

impl Wanted {
    fn add(&mut self, key: &str, shared: &Shared) {
        self.keys.push(stored_key(key));
        match key.split_once(':') {
            Some(("url", url)) => {
                let others = [url.replacen("/blob/", "/tree/", 1), url.replacen("/tree/", "/blob/", 1)];
                for url in [url.to_owned()].into_iter().chain(others.into_iter().filter(|other| other != url)) {
                    self.add_url(url);
                }
            }
            Some(("file", path)) => {
                let path = shared.processor.files().absolute(path);
                self.keys.push(format!("file:{}", path.display()));
                self.paths.push(path);
            }
            _ => {}
        }
    }

    fn add_url(&mut self, text: String) {
        // What is stored went through the parser, and what somebody sends may not have.
        let text = match Url::parse(&text) {
            Ok(url) => {
                let text = url.to_string();
                self.urls.push(url);
                text
            }
            Err(_) => text,
        };
        self.keys.extend([format!("url:{text}"), format!("{SEARCH}{text}")]);
    }

    /// What depends on a pattern that stands for one of these.
    async fn by_pattern(&self, tx: &mut Tx, shared: &Shared) -> Result<Vec<i64>, Error> {
        let mut ids = Vec::new();
        if !self.urls.is_empty() {
            for (id, key) in dependencies(tx, SEARCH).await? {
                let pattern = key.strip_prefix(SEARCH).and_then(|url| Url::parse(url).ok());
                let pattern = pattern.and_then(|url| UrlPattern::new(&url).ok());
                if pattern.is_some_and(|pattern| self.urls.iter().any(|url| pattern.matches_url(url))) {
                    ids.push(id);
                }
            }
        }
        if !self.paths.is_empty() {
            for (id, key) in dependencies(tx, "file:").await? {
                let files = shared.processor.files();
                let pattern = PathBuf::from(key.strip_prefix("file:").unwrap_or_default());
                if self.paths.iter().any(|path| files.stands_for(&pattern, path)) {
                    ids.push(id);
                }
            }
        }
        Ok(ids)
    }
}

/// All dependencies of a kind, which ends in a colon.
async fn dependencies(tx: &mut Tx, kind: &str) -> Result<Vec<(i64, String)>, Error> {
    // The next character after `:` is `;`.
    let end = kind.replace(':', ";");
    let select = query("SELECT entity_id, key FROM dependency WHERE key >= $1 AND key < $2", args![kind, end]);
    tx.fetch_all(select).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
