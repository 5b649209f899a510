//! Repositories in URLs.

use std::collections::BTreeMap;

use url::Url;

use crate::settings::{Scm, scm_of};

/// The hosts of git repositories: the public ones, and those of `integrations`.
pub(super) struct GitHosts(BTreeMap<String, Scm>);

/// The file of a repository that a URL names.
struct GitFile<'a> {
    scm: Scm,
    /// In lower case, with the port where there is one.
    host: String,
    /// With its owner, project or organisation before it.
    repository: String,
    /// What stands between the repository and the file's revision, where the host writes it in the path.
    verb: &'a str,
    /// The path's segment after it: in most cases the revision.
    revision: Option<&'a str>,
}

impl GitHosts {
    pub(super) fn new(hosts: &BTreeMap<String, Scm>) -> GitHosts {
        GitHosts(hosts.clone())
    }

    /// The repository that a URL of a file belongs to, where its host is a known git host.
    pub(super) fn repository(&self, url: &Url) -> Option<String> {
        // GitHub's files have a host of their own, as they are and without a page around them.
        if url.host_str() == Some("raw.githubusercontent.com") {
            let mut parts = url.path_segments()?;
            let (owner, repository, _) = (parts.next()?, parts.next()?, parts.next()?);
            return parts.next().map(|_| format!("github.com/{owner}/{repository}").to_ascii_lowercase());
        }
        let file = self.file(url)?;
        Some(format!("{}/{}", file.host, file.repository).to_ascii_lowercase())
    }

    /// The page that edits a file. There is none for the state of a single commit, nor where the host has no such page.
    pub(super) fn edit_url(&self, url: &Url) -> Option<Url> {
        let file = self.file(url)?;
        let is_commit = |part: &str| part.len() >= 40 && part.chars().all(|c| c.is_ascii_hexdigit());
        if url.path().split('/').any(is_commit) {
            return None;
        }
        let mut edit = url.clone();
        match (file.scm, file.verb) {
            (Scm::Github, verb @ ("blob" | "tree")) => {
                edit.set_path(&url.path().replacen(&format!("/{verb}/"), "/edit/", 1));
            }
            (Scm::Gitlab, verb @ ("blob" | "raw" | "tree")) => {
                edit.set_path(&url.path().replacen(&format!("/{verb}/"), "/edit/", 1));
            }
            (Scm::Bitbucket, "src") => {
                let revision = file.revision?;
                edit.query_pairs_mut().append_pair("mode", "edit").append_pair("spa", "0").append_pair("at", revision);
            }
            _ => return None,
        }
        Some(edit)
    }

    fn file<'a>(&self, url: &'a Url) -> Option<GitFile<'a>> {
        let scm = scm_of(&self.0, url)?;
        let host = url.host_str()?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let parts: Vec<&str> = url.path_segments()?.collect();
        let (repository, verb, revision) = match (scm, parts.as_slice()) {
            (Scm::Github, [owner, name, verb @ ("blob" | "raw" | "tree" | "edit"), revision, ..]) => {
                (format!("{owner}/{name}"), *verb, Some(*revision))
            }
            (Scm::Gitlab, parts) => {
                let end = parts.iter().position(|part| matches!(*part, "-" | "blob" | "raw" | "tree" | "edit"))?;
                let mut rest = parts.get(end..)?.iter().skip_while(|part| **part == "-");
                (parts.get(..end)?.join("/"), *rest.next()?, rest.next().copied())
            }
            // A server of one's own.
            (Scm::Bitbucket, ["projects", project, "repos", name, verb @ ("browse" | "raw"), ..]) => {
                (format!("{project}/{name}"), *verb, None)
            }
            (Scm::Bitbucket, [workspace, name, verb @ ("src" | "raw"), revision, ..]) => {
                (format!("{workspace}/{name}"), *verb, Some(*revision))
            }
            (Scm::Azure, [project @ .., "_git", name]) if !project.is_empty() => {
                (format!("{}/{name}", project.join("/")), "", None)
            }
            _ => return None,
        };
        Some(GitFile { scm, host, repository, verb, revision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories() {
        let hosts =
            [("ghe.example", Scm::Github), ("lab.example:8443", Scm::Gitlab), ("bitbucket.example", Scm::Bitbucket)];
        let hosts = GitHosts::new(&hosts.map(|(host, scm)| (host.to_owned(), scm)).into());
        let check = |url: &str, expected: Option<&str>, edit: Option<&str>| {
            let url = Url::parse(url).unwrap();
            assert_eq!(hosts.repository(&url).as_deref(), expected, "{url}");
            assert_eq!(hosts.edit_url(&url).map(String::from).as_deref(), edit, "{url}");
        };
        check(
            "https://github.com/Acme/shop/blob/main/a/b.yaml",
            Some("github.com/acme/shop"),
            Some("https://github.com/Acme/shop/edit/main/a/b.yaml"),
        );
        check(
            "https://ghe.example/acme/shop/tree/main/b.yaml",
            Some("ghe.example/acme/shop"),
            Some("https://ghe.example/acme/shop/edit/main/b.yaml"),
        );
        check("https://raw.githubusercontent.com/acme/shop/main/b.yaml", Some("github.com/acme/shop"), None);
        check("https://raw.githubusercontent.com/acme/shop/main", None, None);
        check(
            "https://gitlab.com/a/b/c/-/blob/main/x.yaml",
            Some("gitlab.com/a/b/c"),
            Some("https://gitlab.com/a/b/c/-/edit/main/x.yaml"),
        );
        check(
            "https://lab.example:8443/a/b/blob/main/x.yaml",
            Some("lab.example:8443/a/b"),
            Some("https://lab.example:8443/a/b/edit/main/x.yaml"),
        );
        check("https://lab.example/a/b/blob/main/x.yaml", None, None);
        check(
            "https://bitbucket.org/acme/shop/src/main/b.yaml",
            Some("bitbucket.org/acme/shop"),
            Some("https://bitbucket.org/acme/shop/src/main/b.yaml?mode=edit&spa=0&at=main"),
        );
        check(
            "https://bitbucket.example/projects/P/repos/shop/browse/b.yaml?at=main",
            Some("bitbucket.example/p/shop"),
            None,
        );
        check("https://dev.azure.com/acme/shop/_git/code?path=/b.yaml", Some("dev.azure.com/acme/shop/code"), None);
        check(
            "https://github.com/acme/shop/blob/0123456789abcdef0123456789abcdef01234567/b.yaml",
            Some("github.com/acme/shop"),
            None,
        );
        check("https://bucket.s3.eu-west-1.amazonaws.com/a.yaml", None, None);
        check("https://github.com/acme", None, None);
    }
}
