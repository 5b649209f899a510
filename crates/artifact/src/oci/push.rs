//! Pushes a component, and the bundle that signs it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, StatusCode, header::LOCATION};
use semver::Version;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Manifest, Registry, RegistryError, Repository,
    call::Call,
    manifest::{Content, DIGEST_HEADER, Descriptor, media_type},
    referrers::tag_of,
};
use crate::{Digest, limits, resolve::tag_for};

/// What an artefact says about its component, for those who browse a registry.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// What the file is called when it is fetched: `s3.wasm`.
    pub title: String,
    /// When it was made, as RFC 3339 has it. The same time gives the same digest.
    pub created: String,
    /// The interfaces that the component imports.
    pub imports: Vec<String>,
    /// Those that it exports.
    pub exports: Vec<String>,
    /// Annotations of the manifest, such as `org.opencontainers.image.source`.
    pub annotations: BTreeMap<String, String>,
}

/// What was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The tag.
    pub tag: String,
    /// The manifest, whose digest is what a signature is made for.
    pub manifest: Manifest,
}

impl Registry {
    /// Pushes a component as a version, in the layout of `wkg oci push`. The same version with the same bytes again is
    /// no error.
    ///
    /// # Errors
    /// The version is there with other bytes, or the registry does not take it.
    pub async fn push(
        &self,
        repository: &Repository,
        version: &Version,
        component: Bytes,
        about: &About,
    ) -> Result<Pushed, RegistryError> {
        let size = component.len() as u64;
        if size > limits::COMPONENT_BYTES {
            let what = format!("the component for {repository}");
            return Err(RegistryError::TooLarge { what, size, limit: limits::COMPONENT_BYTES });
        }
        let (manifest, config) = lay_out(version, &component, about);
        let tag = tag_for(version);
        match self.digest_of(repository, &tag).await? {
            Some(there) if there == manifest.digest => return Ok(Pushed { tag, manifest }),
            Some(there) => return Err(RegistryError::Published { what: format!("{repository}:{tag}"), there }),
            None => {}
        }
        self.push_blob(repository, config).await?;
        self.push_blob(repository, component).await?;
        self.push_manifest(repository, &tag, &manifest, media_type::MANIFEST).await?;
        Ok(Pushed { tag, manifest })
    }

    /// Adds a sigstore bundle to a manifest, as cosign does.
    ///
    /// # Errors
    /// The registry does not take it.
    pub async fn attach(
        &self,
        repository: &Repository,
        subject: &Manifest,
        bundle: Bytes,
        created: &str,
    ) -> Result<Digest, RegistryError> {
        let empty = Bytes::from_static(b"{}");
        let content = Content {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: Some(media_type::BUNDLE.to_owned()),
            config: Descriptor::of(media_type::EMPTY, &empty),
            layers: vec![Descriptor::of(media_type::BUNDLE, &bundle)],
            subject: Some(Descriptor::of(media_type::MANIFEST, &subject.bytes)),
            annotations: BTreeMap::from([
                ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
                ("dev.sigstore.bundle.predicateType".to_owned(), crate::trust::PREDICATE.to_owned()),
                ("org.opencontainers.image.created".to_owned(), created.to_owned()),
            ]),
        };
        let manifest = written(&content);
        self.push_blob(repository, empty).await?;
        self.push_blob(repository, bundle).await?;
        let is_listed =
            self.push_manifest(repository, &manifest.digest.to_string(), &manifest, media_type::MANIFEST).await?;
        if !is_listed {
            self.list_by_tag(repository, subject, &manifest).await?;
        }
        Ok(manifest.digest)
    }

    /// Adds a referrer to the list under the tag, for a registry that keeps none itself.
    async fn list_by_tag(
        &self,
        repository: &Repository,
        subject: &Manifest,
        referrer: &Manifest,
    ) -> Result<(), RegistryError> {
        let tag = tag_of(&subject.digest);
        let what = format!("{repository}:{tag}");
        let mut manifests = match self.manifest(repository, &tag, &what, media_type::INDEX).await {
            Ok(list) => match serde_json::from_slice::<Value>(&list.bytes) {
                Ok(Value::Object(mut list)) => match list.remove("manifests") {
                    Some(Value::Array(manifests)) => manifests,
                    _ => Vec::new(),
                },
                _ => {
                    let reason = "it is no list of manifests".to_owned();
                    return Err(RegistryError::Malformed { what, reason });
                }
            },
            Err(RegistryError::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let descriptor = Descriptor {
            artifact_type: Some(media_type::BUNDLE.to_owned()),
            ..Descriptor::of(media_type::MANIFEST, &referrer.bytes)
        };
        let descriptor = json!(descriptor);
        if !manifests.iter().any(|listed| listed.get("digest") == descriptor.get("digest")) {
            manifests.push(descriptor);
        }
        let list = json!({ "schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": manifests });
        self.push_manifest(repository, &tag, &Manifest::new(list.to_string().into()), media_type::INDEX).await?;
        Ok(())
    }

    /// Uploads a blob that is not there yet, in one piece.
    async fn push_blob(&self, repository: &Repository, bytes: Bytes) -> Result<(), RegistryError> {
        let digest = Digest::of(&bytes);
        let what = format!("the blob {digest} for {repository}");
        let head = Call::push(Method::HEAD, self.url(repository, &format!("blobs/{digest}")));
        // A registry may keep what it has elsewhere, and says so by a redirect.
        let there = self.call(repository, Call { redirects: 5, ..head }).await?;
        if there.status == StatusCode::OK {
            return Ok(());
        }
        self.expect(there, &what, &[StatusCode::NOT_FOUND]).await?;
        let begin = Call::push(Method::POST, self.url(repository, "blobs/uploads/"));
        let url = begin.url.clone();
        let begun = self.expect(self.call(repository, begin).await?, &what, &[StatusCode::ACCEPTED]).await?;
        let refuse = |reason: &str| RegistryError::Malformed { what: what.clone(), reason: reason.to_owned() };
        let location = begun.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let location = location.ok_or_else(|| refuse("the registry does not say where to upload to"))?;
        let mut upload = url.join(location).map_err(|_| refuse("the registry says to upload to no address"))?;
        if !self.is_at_home(&upload) {
            return Err(refuse("the registry says to upload to another server"));
        }
        upload.query_pairs_mut().append_pair("digest", &digest.to_string());
        let put = Call { body: Some(("application/octet-stream", bytes)), ..Call::push(Method::PUT, upload) };
        self.expect(self.call(repository, put).await?, &what, &[StatusCode::CREATED]).await?;
        Ok(())
    }

    /// Uploads a manifest and says whether the registry lists it with what it refers to.
    async fn push_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        manifest: &Manifest,
        media_type: &'static str,
    ) -> Result<bool, RegistryError> {
        let what = format!("the manifest of {repository}, {reference}");
        let call = Call {
            body: Some((media_type, manifest.bytes.clone())),
            ..Call::push(Method::PUT, self.url(repository, &format!("manifests/{reference}")))
        };
        let response = self.call(repository, call).await?;
        let response = self.expect(response, &what, &[StatusCode::CREATED]).await?;
        if let Some(Ok(got)) =
            response.headers.get(DIGEST_HEADER).and_then(|digest| digest.to_str().ok()).map(str::parse::<Digest>)
            && got != manifest.digest
        {
            return Err(RegistryError::OtherDigest { what, expected: manifest.digest, got });
        }
        Ok(response.headers.contains_key("oci-subject"))
    }
}

/// Manifest and configuration of a component.
fn lay_out(version: &Version, component: &Bytes, about: &About) -> (Manifest, Bytes) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Config<'a> {
        created: &'a str,
        author: Option<&'a str>,
        architecture: &'a str,
        os: &'a str,
        layer_digests: [Digest; 1],
        component: Component<'a>,
    }
    #[derive(Serialize)]
    struct Component<'a> {
        exports: &'a [String],
        imports: &'a [String],
        target: Option<&'a str>,
    }
    let config = json!(Config {
        created: &about.created,
        author: None,
        architecture: "wasm",
        os: "wasip2",
        layer_digests: [Digest::of(component)],
        component: Component { exports: &about.exports, imports: &about.imports, target: None },
    });
    let config = Bytes::from(config.to_string());
    let mut layer = Descriptor::of(media_type::WASM, component);
    layer.annotations.insert("org.opencontainers.image.title".to_owned(), about.title.clone());
    let mut annotations = about.annotations.clone();
    annotations.insert("org.opencontainers.image.version".to_owned(), version.to_string());
    let content = Content {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: Descriptor::of(media_type::WASM_CONFIG, &config),
        layers: vec![layer],
        subject: None,
        annotations,
    };
    (written(&content), config)
}

fn written(content: &Content) -> Manifest {
    Manifest::new(json!(content).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_laid_out_as_it_is_read() {
        let component = Bytes::from_static(b"wasm");
        let about =
            About { title: "s3.wasm".to_owned(), created: "2026-11-22T00:00:00Z".to_owned(), ..About::default() };
        let (manifest, config) = lay_out(&Version::new(1, 2, 3), &component, &about);
        let layer = manifest.component().unwrap();
        assert_eq!((layer.digest, layer.size), (Digest::of(b"wasm"), 4));
        let value: Value = serde_json::from_slice(&manifest.bytes).unwrap();
        assert_eq!(value["config"]["digest"], json!(Digest::of(&config)));
        assert_eq!(value["annotations"]["org.opencontainers.image.version"], "1.2.3");
        assert_eq!(value["layers"][0]["annotations"]["org.opencontainers.image.title"], "s3.wasm");
        let config: Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config["layerDigests"][0], json!(Digest::of(b"wasm")));
        assert_eq!((&config["architecture"], &config["os"]), (&json!("wasm"), &json!("wasip2")));
        assert_eq!(lay_out(&Version::new(1, 2, 3), &component, &about).0, manifest, "the same again");
    }
}
