//! What a tag or a digest stands for.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use super::{Registry, RegistryError, Repository, call::Call};
use crate::{Digest, limits};

/// The media types of an artefact, as `wkg oci push` and Spin write them.
pub mod media_type {
    /// A manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// A list of manifests.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// What is said about a component.
    pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
    /// A component.
    pub const WASM: &str = "application/wasm";
    /// A configuration that says nothing: `{}`.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// A sigstore bundle. Later versions begin in the same way.
    pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
    /// What every version of a sigstore bundle begins with.
    pub const ANY_BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
}

/// A manifest as it came: its digest is that of these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The bytes.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: Digest,
}

/// The one layer of a plugin's artefact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentLayer {
    /// The digest of the component.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Why a manifest is not that of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// It cannot be read.
    #[error("its manifest cannot be read: {0}")]
    Malformed(String),
    /// It is a list of manifests.
    #[error("it is an index of several artefacts; name the tag or the digest of one of them")]
    Index,
    /// It holds something else.
    #[error("it holds {0}, and a plugin is pushed as one component: `callboard plugin push` or `wkg oci push` do that")]
    Other(String),
    /// It has more or fewer layers.
    #[error("it has {0} layers, and a plugin has one: `callboard plugin push` or `wkg oci push` do that")]
    Layers(usize),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    pub(super) schema_version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Takes bytes as a manifest.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }

    /// The component that the manifest names, if it is laid out as a plugin's.
    ///
    /// # Errors
    /// It is something else, with the way to push a plugin.
    pub fn component(&self) -> Result<ComponentLayer, LayoutError> {
        let content = self.content()?;
        if let Some(media_type) = content.media_type.as_deref().filter(|is| *is != media_type::MANIFEST) {
            return Err(LayoutError::Other(super::error::tame(media_type)));
        }
        if content.config.media_type != media_type::WASM_CONFIG {
            return Err(LayoutError::Other(super::error::tame(&content.config.media_type)));
        }
        let [layer] = content.layers.as_slice() else { return Err(LayoutError::Layers(content.layers.len())) };
        if layer.media_type != media_type::WASM {
            return Err(LayoutError::Other(super::error::tame(&layer.media_type)));
        }
        Ok(ComponentLayer { digest: layer.digest, size: layer.size })
    }

    pub(super) fn content(&self) -> Result<Content, LayoutError> {
        #[derive(Deserialize)]
        struct Kind {
            manifests: Option<serde::de::IgnoredAny>,
        }
        let malformed = |error: serde_json::Error| LayoutError::Malformed(super::error::tame(&error.to_string()));
        // A document that is both would be read by each reader as what it prefers.
        let kind: Kind = serde_json::from_slice(&self.bytes).map_err(malformed)?;
        if kind.manifests.is_some() {
            return Err(LayoutError::Index);
        }
        let content: Content = serde_json::from_slice(&self.bytes).map_err(malformed)?;
        if content.schema_version != 2 {
            return Err(LayoutError::Malformed(format!("it is of version {}, not 2", content.schema_version)));
        }
        Ok(content)
    }
}

impl Registry {
    /// What a tag stands for now.
    ///
    /// # Errors
    /// It is not there, or cannot be had.
    pub async fn tagged(&self, repository: &Repository, tag: &str) -> Result<Manifest, RegistryError> {
        self.manifest(repository, tag, &format!("{repository}:{tag}"), media_type::MANIFEST).await
    }

    /// The manifest that has a digest.
    ///
    /// # Errors
    /// It is not there, cannot be had, or has another digest.
    pub async fn exactly(&self, repository: &Repository, digest: &Digest) -> Result<Manifest, RegistryError> {
        let what = format!("{repository}@{digest}");
        let manifest = self.manifest(repository, &digest.to_string(), &what, media_type::MANIFEST).await?;
        if manifest.digest == *digest {
            return Ok(manifest);
        }
        Err(RegistryError::OtherDigest { what, expected: *digest, got: manifest.digest })
    }

    /// The digest of what a tag stands for now, without fetching it; none if there is no such tag.
    ///
    /// # Errors
    /// The registry does not answer, or says no digest.
    pub async fn digest_of(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, RegistryError> {
        let what = format!("{repository}:{tag}");
        let url = self.url(repository, &format!("manifests/{tag}"));
        let call = Call {
            method: http::Method::HEAD,
            accept: Some(media_type::MANIFEST),
            ..Call::get(url, limits::MANIFEST_BYTES)
        };
        let response = self.call(repository, call).await?;
        if response.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = self.expect(response, &what, &[StatusCode::OK]).await?;
        match response.headers.get(DIGEST_HEADER).and_then(|digest| digest.to_str().ok()) {
            Some(digest) => {
                let malformed = |error| RegistryError::Malformed { what, reason: format!("{error}") };
                digest.parse().map(Some).map_err(malformed)
            }
            // Not every registry says it; then the manifest itself does.
            None => Ok(Some(self.tagged(repository, tag).await?.digest)),
        }
    }

    pub(super) async fn manifest(
        &self,
        repository: &Repository,
        reference: &str,
        what: &str,
        accept: &'static str,
    ) -> Result<Manifest, RegistryError> {
        let url = self.url(repository, &format!("manifests/{reference}"));
        let call = Call { accept: Some(accept), ..Call::get(url, limits::MANIFEST_BYTES) };
        let response = self.call(repository, call).await?;
        let response = self.expect(response, what, &[StatusCode::OK]).await?;
        let said = response.headers.get(DIGEST_HEADER).and_then(|digest| digest.to_str().ok()).map(str::to_owned);
        let content_type = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = response.body.collect(limits::MANIFEST_BYTES).await?;
        let manifest = Manifest::new(bytes);
        if let Some(Ok(said)) = said.as_deref().map(str::parse::<Digest>)
            && said != manifest.digest
        {
            return Err(RegistryError::OtherDigest { what: what.to_owned(), expected: said, got: manifest.digest });
        }
        tracing::debug!(what, digest = %manifest.digest, ?content_type, "manifest");
        Ok(manifest)
    }
}

/// Where a registry says the digest of a manifest.
pub(super) const DIGEST_HEADER: &str = "docker-content-digest";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plugin() -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": media_type::MANIFEST,
            "config": {"mediaType": media_type::WASM_CONFIG, "digest": Digest::of(b"{}"), "size": 2},
            "layers": [{"mediaType": media_type::WASM, "digest": Digest::of(b"wasm"), "size": 4,
                        "annotations": {"org.opencontainers.image.title": "s3.wasm"}}],
            "annotations": {"org.opencontainers.image.version": "1.2.3"},
        })
    }

    #[test]
    fn layouts() {
        let read = |value: &Value| Manifest::new(value.to_string().into()).component();
        assert_eq!(read(&plugin()), Ok(ComponentLayer { digest: Digest::of(b"wasm"), size: 4 }));
        let check = |change: &dyn Fn(&mut Value), part: &str| {
            let mut value = plugin();
            change(&mut value);
            let error = read(&value).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        };
        let mut without = plugin();
        without.as_object_mut().unwrap().remove("mediaType");
        assert!(read(&without).is_ok(), "the field is optional");
        check(&|value| value["manifests"] = json!([]), "index of several");
        check(&|value| value["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json"), "docker");
        check(&|value| value["schemaVersion"] = json!(1), "version 1");
        check(
            &|value| value["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json"),
            "wkg oci push",
        );
        check(&|value| value["layers"] = json!([]), "0 layers");
        check(&|value| value["layers"] = json!([value["layers"][0], value["layers"][0]]), "2 layers");
        check(&|value| value["layers"][0]["mediaType"] = json!("text/html"), "text/html");
        check(&|value| value["layers"][0]["mediaType"] = json!("a\u{1b}[2Jb"), "a [2Jb");
        check(&|value| value["layers"][0]["digest"] = json!("sha512:00"), "not a digest");
        check(&|value| value["layers"][0]["size"] = json!(-1), "cannot be read");
        check(&|value| *value = json!("x"), "cannot be read");
        assert!(Manifest::new(Bytes::new()).component().is_err());
    }
}
