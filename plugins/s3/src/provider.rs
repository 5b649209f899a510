//! The extension point `entity-provider`: one provider for each bucket.

use std::time::Instant;

use callboard_sdk::http::{Request, Response};
use callboard_sdk::{Again, Context, EntityProvider, Error, Mode, Page, ProvidedItem, Provider, config, log};
use serde_json::Value;

use crate::answer::{Failure, explain, retry_after};
use crate::bucket::{Bucket, Position};
use crate::item::item;
use crate::listing::{self, Listing, Object};
use crate::settings::{self, BucketSettings, Integration};

const PROVIDERS: &str = "catalog.providers.awsS3";
const INTEGRATION: &str = "integrations.awsS3";
const NAME: &str = "awsS3-provider:";
/// A listing of 1,000 keys of 1,024 bytes each, every one of them encoded.
const LISTING_BYTES: usize = 8 * 1024 * 1024;
/// S3's error documents are shorter than this.
const FAILURE_BYTES: usize = 64 * 1024;
/// What crosses to the portal at once is at most 4 MiB; this leaves room.
const PAGE_BYTES: usize = 3 * 1024 * 1024;

pub(crate) struct Buckets;

impl EntityProvider for Buckets {
    fn providers(_: &Context) -> Result<Vec<Provider>, Error> {
        let (buckets, integration) = read_settings()?;
        buckets
            .into_iter()
            .map(|(id, settings)| {
                Bucket::new(&settings, &integration)?;
                let schedule = settings.schedule.ok_or_else(|| {
                    Error::Invalid(format!(
                        "the provider `{id}` of {PROVIDERS} in app-config has no schedule; add, for example, \
                         `schedule: {{ frequency: {{ minutes: 30 }}, timeout: {{ minutes: 3 }} }}`"
                    ))
                })?;
                Ok(Provider { name: format!("{NAME}{id}"), schedule })
            })
            .collect()
    }

    fn read(context: &Context, provider: &str, cursor: Option<&str>) -> Result<Page, Error> {
        let started = Instant::now();
        let (buckets, integration) = read_settings()?;
        let id = provider.strip_prefix(NAME).unwrap_or(provider);
        let settings = buckets
            .get(id)
            .ok_or_else(|| Error::NotFound(format!("{PROVIDERS} in app-config has no provider `{id}`")))?;
        let bucket = Bucket::new(settings, &integration)?;
        let url = bucket.listing(&Position::from_cursor(cursor)?);
        let mut attempt = 0;
        let listing = loop {
            let answer = request(&url, settings).send()?;
            if answer.status == 200 {
                break listing::read(&answer.bytes(LISTING_BYTES)?)?;
            }
            let failure = read_failure(&answer);
            match retry_after(attempt, answer.status, &failure.code) {
                // Half of the time stays for the answer.
                Some(pause) if started.elapsed() + pause < context.time / 2 => {
                    log::debug(&format!("{provider}: {} {}; trying again", answer.status, failure.code));
                    std::thread::sleep(pause);
                    attempt += 1;
                }
                _ => return Err(explain(&bucket, answer.status, &failure)),
            }
        };
        page(&bucket, listing)
    }
}

fn read_settings() -> Result<(std::collections::BTreeMap<String, BucketSettings>, Integration), Error> {
    let buckets = settings::buckets(config::get::<Value>(PROVIDERS)?)?;
    let integration = settings::integration(config::get::<Value>(INTEGRATION)?)?;
    Ok((buckets, integration))
}

fn request(url: &str, settings: &BucketSettings) -> Request {
    let request = Request::get(url);
    match &settings.credential {
        Some(handle) => request.credential(handle),
        None => request,
    }
}

fn read_failure(answer: &Response) -> Failure {
    // Where the reason cannot be read, the status has to do.
    let body = answer.bytes(FAILURE_BYTES).unwrap_or_default();
    Failure::read(&body, answer.header("x-amz-bucket-region"))
}

/// Takes as many objects as cross at once; where that is not all, the next page begins behind the last one taken.
fn page(bucket: &Bucket, listing: Listing) -> Result<Page, Error> {
    let mut items = Vec::with_capacity(listing.objects.len());
    let mut bytes = 0;
    let mut last_taken: Option<&Object> = None;
    let mut next = listing.next.map(Position::Token);
    for object in &listing.objects {
        if let Some(item) = item(bucket, object)? {
            bytes += size(&item)?;
            if bytes > PAGE_BYTES
                && let Some(last) = last_taken
            {
                next = Some(Position::After(last.key.clone()));
                break;
            }
            items.push(item);
        }
        last_taken = Some(object);
    }
    let next = next.and_then(|position| position.to_cursor());
    Ok(Page { items, next, mode: Mode::Full, again: Again::Scheduled })
}

fn size(item: &ProvidedItem) -> Result<usize, Error> {
    serde_json::to_vec(item).map(|json| json.len()).map_err(|error| Error::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(keys: &[String], next: Option<&str>) -> Page {
        let settings = BucketSettings {
            bucket_name: "sample".to_owned(),
            prefix: None,
            region: None,
            schedule: None,
            credential: None,
        };
        let bucket = Bucket::new(&settings, &Integration::default()).unwrap();
        let objects = keys.iter().map(|key| Object { key: key.clone(), ..Object::default() }).collect();
        page(&bucket, Listing { objects, next: next.map(str::to_owned) }).unwrap()
    }

    fn check(keys: &[String], next: Option<&str>, expected_items: usize, expected_next: Option<&str>) {
        let page = cut(keys, next);
        assert_eq!(page.items.len(), expected_items);
        assert_eq!(page.next.as_deref(), expected_next);
    }

    #[test]
    fn pages() {
        let keys = |count: usize| (0..count).map(|index| format!("k{index:04}")).collect::<Vec<_>>();
        check(&[], None, 0, None);
        check(&keys(3), None, 3, None);
        check(&keys(1000), Some("t"), 1000, Some("token:t"));
        check(&["a/".to_owned()], Some("t"), 0, Some("token:t"));
    }

    #[test]
    fn a_page_that_is_too_large_is_cut() {
        // Keys of the longest kind, of which every byte is encoded.
        let keys: Vec<String> = (0..1000).map(|index| format!("{index:04}{}", "ü".repeat(510))).collect();
        let page = cut(&keys, Some("t"));
        assert!(page.items.len() > 100 && page.items.len() < 1000);
        assert!(serde_json::to_vec(&page.items).unwrap().len() < 4 * 1024 * 1024);
        let last = keys.get(page.items.len() - 1).unwrap();
        assert_eq!(page.next, Some(format!("after:{last}")));
    }
}
