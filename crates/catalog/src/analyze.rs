//! What is known of a location before somebody registers it.

use callboard_egress::UrlPattern;
use callboard_model::access::Access;
use callboard_model::api::{ExistingEntityFile, GeneratedEntity, LocationAnalysis, LocationInput};
use callboard_model::filter::{Predicate, SearchRows};
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, Presence};
use serde_json::{Map, Value, json};
use url::Url;

use crate::engine::Shared;
use crate::limits::ANALYZED_ENTITIES;
use crate::location::dry_run::dry_run;
use crate::query::list;
use crate::settings::Scm;
use crate::{Document, Error, ListQuery, NewLocation};

/// What the catalog has from a location, or what is in the files that it names, or else what could be written there.
///
/// A repository is not looked into: whether it has descriptor files that nobody registered is not known.
pub(crate) async fn analyze(
    shared: &Shared,
    access: &Access,
    location: &LocationInput,
) -> Result<LocationAnalysis<Document>, Error> {
    let url = Url::parse(&location.target).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| Error::Input("The given location.target is not a URL".to_owned()))?;
    let project = Project::of(&url, shared.settings.scm(&url));
    let mut existing_entity_files = existing(shared, access, location, &project).await?;
    if existing_entity_files.is_empty() && names_descriptors(&url) {
        existing_entity_files = unregistered(shared, access, location).await?;
    }
    let generate_entities = match existing_entity_files.is_empty() {
        true => vec![GeneratedEntity { entity: project.component(), fields: Vec::new() }],
        false => Vec::new(),
    };
    Ok(LocationAnalysis { existing_entity_files, generate_entities })
}

async fn existing(
    shared: &Shared,
    access: &Access,
    location: &LocationInput,
    project: &Project,
) -> Result<Vec<ExistingEntityFile<Document>>, Error> {
    let key = format!("metadata.annotations.{MANAGED_BY_LOCATION}");
    let filter = Predicate::Any(vec![
        Predicate::equals(&key, &format!("url:{}", location.target)),
        Predicate::has_prefix(&key, &format!("url:{}/", project.root)),
        Predicate::has_prefix(&key, &format!("url:{}?", project.root)),
    ]);
    let query = ListQuery { filter: Some(filter), limit: Some(ANALYZED_ENTITIES), ..ListQuery::default() };
    let mut files = Vec::new();
    for entity in list::list(shared, access, &query).await?.items {
        let value: Value = serde_json::from_str(entity.get())
            .map_err(|error| callboard_store::Error::Failed(format!("a stored document is damaged: {error}")))?;
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let Ok(from) = LocationRef::parse(text(&location_pointer())) else { continue };
        if is_generated(&value) {
            continue;
        }
        let location = LocationInput { kind: from.kind, target: from.target };
        files.push(ExistingEntityFile { location, is_registered: true, entity });
    }
    Ok(files)
}

/// Whether a URL looks like that of descriptors, and not of a page or a folder: those are not read in the hope of some.
fn names_descriptors(url: &Url) -> bool {
    UrlPattern::is_one(url) || [".yaml", ".yml"].iter().any(|end| url.path().to_ascii_lowercase().ends_with(end))
}

/// What the files of a location have that is not in the catalog, as far as the caller could see it there. What cannot be
/// read, or would not be taken, is none.
async fn unregistered(
    shared: &Shared,
    access: &Access,
    location: &LocationInput,
) -> Result<Vec<ExistingEntityFile<Document>>, Error> {
    let location =
        NewLocation { kind: "url".to_owned(), target: location.target.clone(), presence: Presence::default() };
    let dry = match dry_run(shared, &location).await {
        Ok(dry) => dry,
        Err(Error::Store(error)) => return Err(Error::Store(error)),
        Err(error) => {
            tracing::debug!(target = location.target, %error, "nothing to be analyzed");
            return Ok(Vec::new());
        }
    };
    let mut files = Vec::new();
    for entity in dry.entities {
        let value: Value = serde_json::from_str(entity.get()).map_err(|error| Error::Input(error.to_string()))?;
        let from = value.pointer(&location_pointer()).and_then(Value::as_str).map(LocationRef::parse);
        if let Some(Ok(from)) = from
            && !is_generated(&value)
            && covers(access, &value)
        {
            let location = LocationInput { kind: from.kind, target: from.target };
            files.push(ExistingEntityFile { location, is_registered: dry.exists, entity });
        }
    }
    Ok(files)
}

/// Where an entity's own location is in its document.
fn location_pointer() -> String {
    format!("/metadata/annotations/{}", MANAGED_BY_LOCATION.replace('/', "~1"))
}

/// Whether an entity stands for a registration, or for a file that a pattern stands for: it is in no file then.
fn is_generated(entity: &Value) -> bool {
    let text = |pointer: &str| entity.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    text("/kind") == "Location" && text("/metadata/name").starts_with("generated-")
}

/// Whether the caller may see an entity. It has no relations yet, so that who may see but their own sees none.
fn covers(access: &Access, entity: &Value) -> bool {
    match access {
        Access::All => true,
        Access::Where(filter) => SearchRows::of(entity).is_ok_and(|rows| filter.matches(&rows)),
        Access::None => false,
    }
}

/// A project as its URL tells it.
#[derive(Debug, PartialEq, Eq)]
struct Project {
    scm: Option<Scm>,
    owner: String,
    name: String,
    /// Everything in the project has a URL that begins with this and a slash or a question mark.
    root: String,
}

impl Project {
    fn of(url: &Url, scm: Option<Scm>) -> Project {
        let segments: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
        let until = |ends: &[&str]| segments.iter().position(|segment| ends.contains(segment));
        // Where the project ends in the path, and which part of it is its owner.
        let (end, owner): (usize, Vec<&str>) = match scm {
            Some(Scm::Github | Scm::Bitbucket) => (2, segments.iter().take(1).copied().collect()),
            Some(Scm::Gitlab) => {
                let end = until(&["-", "blob", "raw", "tree", "edit"]).unwrap_or(segments.len());
                (end, segments.iter().take(end.saturating_sub(1)).copied().collect())
            }
            Some(Scm::Azure) => {
                let git = until(&["_git"]).unwrap_or(segments.len());
                (git.saturating_add(2), segments.iter().take(git).skip(git.saturating_sub(1)).copied().collect())
            }
            None => (segments.len(), segments.iter().rev().skip(1).rev().copied().collect()),
        };
        let end = end.min(segments.len());
        let inside: Vec<&str> = segments.iter().take(end).copied().collect();
        let name = inside.last().copied().unwrap_or_default();
        let origin = url.origin().ascii_serialization();
        Project {
            scm,
            owner: owner.join("/"),
            name: name.strip_suffix(".git").unwrap_or(name).to_owned(),
            root: std::iter::once(origin.as_str()).chain(inside).collect::<Vec<_>>().join("/"),
        }
    }

    fn component(&self) -> Value {
        let mut metadata = Map::from_iter([("name".to_owned(), Value::from(self.name.as_str()))]);
        if let Some(scm) = self.scm {
            let slug = format!("{}/{}", self.owner, self.name);
            metadata.insert("annotations".to_owned(), json!({ format!("{}/project-slug", scm.prefix()): slug }));
        }
        json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": metadata,
            "spec": { "type": "other", "lifecycle": "unknown" },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects() {
        fn check(url: &str, scm: Option<Scm>, owner: &str, name: &str, root: &str) {
            let expected = Project { scm, owner: owner.to_owned(), name: name.to_owned(), root: root.to_owned() };
            assert_eq!(Project::of(&Url::parse(url).unwrap(), scm), expected);
        }
        let github = Some(Scm::Github);
        check("https://github.com/acme/shop", github, "acme", "shop", "https://github.com/acme/shop");
        check("https://github.com/acme/shop.git", github, "acme", "shop", "https://github.com/acme/shop.git");
        check("https://github.com/acme/shop/blob/main/a.yaml", github, "acme", "shop", "https://github.com/acme/shop");
        check("https://github.com/acme", github, "acme", "acme", "https://github.com/acme");
        let gitlab = Some(Scm::Gitlab);
        check("https://gitlab.com/a/b/c/-/blob/main/x", gitlab, "a/b", "c", "https://gitlab.com/a/b/c");
        check("https://gitlab.com/a/b/c", gitlab, "a/b", "c", "https://gitlab.com/a/b/c");
        let azure = "https://dev.azure.com/org/project/_git/shop";
        check(&format!("{azure}?path=/a.yaml"), Some(Scm::Azure), "project", "shop", azure);
        check("https://x.example/a/b/", None, "a", "b", "https://x.example/a/b");
        check("https://x.example/", None, "", "", "https://x.example");
    }

    #[test]
    fn components() {
        fn check(url: &str, scm: Option<Scm>, metadata: Value) {
            let component = Project::of(&Url::parse(url).unwrap(), scm).component();
            assert_eq!(component["metadata"], metadata);
            assert_eq!(component["spec"], json!({ "type": "other", "lifecycle": "unknown" }));
        }
        for (scm, prefix) in
            [(Scm::Github, "github.com"), (Scm::Gitlab, "gitlab.com"), (Scm::Bitbucket, "bitbucket.org")]
        {
            let annotations = json!({ format!("{prefix}/project-slug"): "a/b" });
            check("https://x.example/a/b", Some(scm), json!({ "name": "b", "annotations": annotations }));
        }
        check("https://x.example/a/b", None, json!({ "name": "b" }));
    }
}
