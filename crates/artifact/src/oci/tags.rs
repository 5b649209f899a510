//! The tags of a repository.

use callboard_egress::Response;
use http::{StatusCode, header::LINK};
use serde::Deserialize;
use url::Url;

use super::{Registry, RegistryError, Repository, call::Call};
use crate::limits;

/// How many are asked for at once.
const PAGE: &str = "1000";

impl Registry {
    /// All tags, in the registry's order.
    ///
    /// # Errors
    /// The repository is not there, or has more tags than are looked at.
    pub async fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let what = format!("the tags of {repository}");
        let mut url = self.url(repository, "tags/list");
        url.query_pairs_mut().append_pair("n", PAGE);
        let mut tags = Vec::new();
        for _ in 0..limits::LIST_PAGES {
            let response = self.call(repository, Call::get(url.clone(), limits::LIST_BYTES)).await?;
            let response = self.expect(response, &what, &[StatusCode::OK]).await?;
            let next = self.next_page(&url, &response, &what)?;
            let body = response.body.collect(limits::LIST_BYTES).await?;
            let page: Page = serde_json::from_slice(&body).map_err(|error| RegistryError::Malformed {
                what: what.clone(),
                reason: super::error::tame(&error.to_string()),
            })?;
            tags.extend(page.tags.into_iter().flatten());
            if tags.len() > limits::TAGS {
                return Err(RegistryError::TooMany { what, limit: limits::TAGS });
            }
            match next {
                Some(next) => url = next,
                None => return Ok(tags),
            }
        }
        Err(RegistryError::TooMany { what, limit: limits::LIST_PAGES })
    }

    /// The page that `Link` names with `rel="next"`. It is part of the same list, so another path is refused: the
    /// request would carry the credential.
    pub(super) fn next_page(&self, url: &Url, response: &Response, what: &str) -> Result<Option<Url>, RegistryError> {
        let refuse = |reason: &str| RegistryError::Malformed { what: what.to_owned(), reason: reason.to_owned() };
        for value in response.headers.get_all(LINK) {
            let value = value.to_str().map_err(|_| refuse("its Link is no text"))?;
            let Some(target) = next_of(value) else { continue };
            let next = url.join(target).map_err(|_| refuse("its next page is no address"))?;
            if !self.is_at_home(&next) || next.path() != url.path() {
                return Err(refuse("its next page is elsewhere"));
            }
            return Ok(Some(next));
        }
        Ok(None)
    }
}

/// The target of the link to the next page (RFC 8288).
fn next_of(value: &str) -> Option<&str> {
    value.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim();
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        });
        is_next.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links() {
        let check = |value: &str, expected: Option<&str>| assert_eq!(next_of(value), expected, "{value}");
        check(r#"</v2/a/tags/list?last=b&n=2>; rel="next""#, Some("/v2/a/tags/list?last=b&n=2"));
        check("<?last=b>;rel=next", Some("?last=b"));
        check(r#"</first>; rel="prev", </second>; title="x"; REL="Next""#, Some("/second"));
        check(r#"</first>; rel="prev""#, None);
        check("</x>", None);
        check("rel=next", None);
        check("", None);
    }
}
