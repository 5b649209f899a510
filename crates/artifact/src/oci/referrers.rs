//! The sigstore bundles that were pushed for a manifest.
//!
//! cosign 2.4 and later keep each in an artefact of its own whose `subject` is the manifest. Registries list those by the
//! referrers API; for one that has none, clients keep the list under a tag that is made of the digest.

use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;

use super::{Registry, RegistryError, Repository, call::Call, media_type};
use crate::{Digest, limits};

/// Bundles, and why there are not more of them.
#[derive(Clone, Debug, Default)]
pub struct FoundBundles {
    /// The bundles, as they are.
    pub bundles: Vec<Bytes>,
    /// What looked like one and was not taken, as sentences without a full stop.
    pub passed_over: Vec<String>,
}

/// One entry of the list. Its digest may be of a kind that we do not know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    digest: String,
    #[serde(default)]
    artifact_type: Option<String>,
}

#[derive(Deserialize)]
struct List {
    manifests: Vec<Listed>,
}

impl Registry {
    /// Looks for the bundles of a manifest.
    ///
    /// A bundle that cannot be had is passed over with its reason, so that somebody who may push cannot hide the right
    /// one behind a wrong one.
    ///
    /// # Errors
    /// The list of what refers to the manifest cannot be had.
    pub async fn bundles(&self, repository: &Repository, manifest: &Digest) -> Result<FoundBundles, RegistryError> {
        let mut found = FoundBundles::default();
        let mut candidates = Vec::new();
        for listed in self.referrers(repository, manifest).await? {
            // Some registries leave the type out; those are looked into.
            let kind = listed.artifact_type.as_deref().unwrap_or_default();
            if !kind.is_empty() && kind != media_type::EMPTY && !kind.starts_with(media_type::ANY_BUNDLE) {
                continue;
            }
            match listed.digest.parse::<Digest>() {
                Ok(digest) if candidates.contains(&digest) => {}
                Ok(digest) => candidates.push(digest),
                Err(error) => found.passed_over.push(error.to_string()),
            }
        }
        if candidates.len() > limits::BUNDLES {
            let more = candidates.len() - limits::BUNDLES;
            found.passed_over.push(format!("{more} artefacts more than the {} that are looked at", limits::BUNDLES));
            candidates.truncate(limits::BUNDLES);
        }
        for digest in candidates {
            match self.bundle(repository, &digest, manifest).await {
                Ok(Some(bundle)) => found.bundles.push(bundle),
                Ok(None) => {}
                Err(error) => found.passed_over.push(error.to_string()),
            }
        }
        if found.bundles.is_empty() {
            let tag = format!("sha256-{}.sig", manifest.hex());
            if let Ok(Some(_)) = self.digest_of(repository, &tag).await {
                found.passed_over.push(format!(
                    "the tag {tag} holds a signature in cosign's older form, which is not read: sign again with \
                     cosign 3, or with cosign 2.4 and --new-bundle-format"
                ));
            }
        }
        Ok(found)
    }

    /// The bundle of one referrer, if it is one at all.
    async fn bundle(
        &self,
        repository: &Repository,
        digest: &Digest,
        subject: &Digest,
    ) -> Result<Option<Bytes>, RegistryError> {
        let manifest = self.exactly(repository, digest).await?;
        let what = format!("{repository}@{digest}");
        let content = manifest.content().map_err(|reason| RegistryError::Layout { what: what.clone(), reason })?;
        let bundle = content.layers.iter().find(|layer| layer.media_type.starts_with(media_type::ANY_BUNDLE));
        let Some(layer) = bundle else { return Ok(None) };
        if content.subject.is_none_or(|of| of.digest != *subject) {
            let reason = "it is listed for this artefact and is about another one".to_owned();
            return Err(RegistryError::Malformed { what, reason });
        }
        self.blob(repository, &layer.digest, layer.size, limits::BUNDLE_BYTES, &|_, _| {}).await.map(Some)
    }

    async fn referrers(&self, repository: &Repository, manifest: &Digest) -> Result<Vec<Listed>, RegistryError> {
        let what = format!("the signatures of {repository}@{manifest}");
        let mut url = self.url(repository, &format!("referrers/{manifest}"));
        let mut listed = Vec::new();
        for page in 0..limits::LIST_PAGES {
            let call = Call { accept: Some(media_type::INDEX), ..Call::get(url.clone(), limits::LIST_BYTES) };
            let response = self.call(repository, call).await?;
            let content_type = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let is_index = content_type.is_some_and(|is| is.trim_start().starts_with(media_type::INDEX));
            // Something else with 200 is a page for people, of a registry or a proxy that does not know the path.
            let knows_path = response.status == StatusCode::OK && is_index;
            if page == 0 && !knows_path && (response.status.is_success() || response.status.is_client_error()) {
                return self.tagged_list(repository, manifest, &what).await;
            }
            let response = self.expect(response, &what, &[StatusCode::OK]).await?;
            let next = self.next_page(&url, &response, &what)?;
            let body = response.body.collect(limits::LIST_BYTES).await?;
            listed.extend(read(&body, &what)?);
            match next {
                Some(next) if listed.len() <= limits::TAGS => url = next,
                Some(_) => return Err(RegistryError::TooMany { what, limit: limits::TAGS }),
                None => return Ok(listed),
            }
        }
        Err(RegistryError::TooMany { what, limit: limits::LIST_PAGES })
    }

    /// The list under the tag, for registries without the API.
    async fn tagged_list(
        &self,
        repository: &Repository,
        manifest: &Digest,
        what: &str,
    ) -> Result<Vec<Listed>, RegistryError> {
        match self.manifest(repository, &tag_of(manifest), what, media_type::INDEX).await {
            Ok(list) => read(&list.bytes, what),
            Err(RegistryError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The tag under which clients keep what refers to a manifest.
pub(super) fn tag_of(manifest: &Digest) -> String {
    format!("sha256-{}", manifest.hex())
}

fn read(body: &[u8], what: &str) -> Result<Vec<Listed>, RegistryError> {
    let list: List = serde_json::from_slice(body).map_err(|error| RegistryError::Malformed {
        what: what.to_owned(),
        reason: super::error::tame(&error.to_string()),
    })?;
    Ok(list.manifests)
}
