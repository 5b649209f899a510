//! What a file means by a relative URL.

use url::Url;

use crate::{Integrations, target};

/// Why a text is no URL of another file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{relative}' in {base} cannot be resolved: {reason}")]
pub struct ResolveUrlError {
    /// The text.
    pub relative: String,
    /// The URL of the file that holds it.
    pub base: String,
    /// What is wrong.
    pub reason: String,
}

pub(super) fn resolve(integrations: &Integrations, base: &Url, relative: &str) -> Result<Url, ResolveUrlError> {
    let failed = |reason: String| ResolveUrlError {
        relative: target_without_secrets(relative),
        base: target::shown(base),
        reason,
    };
    let url = match (Url::parse(relative), kind_of(integrations, base)) {
        (Ok(absolute), _) => absolute,
        (Err(url::ParseError::RelativeUrlWithoutBase), Some(kind)) => kind
            .resolve(base, relative)
            .ok_or_else(|| failed("the URL of the file has no repository in it".to_owned()))?
            .map_err(|error| failed(error.to_string()))?,
        (Err(url::ParseError::RelativeUrlWithoutBase), None) => {
            base.join(relative).map_err(|error| failed(error.to_string()))?
        }
        (Err(error), _) => return Err(failed(error.to_string())),
    };
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(failed(format!("only http and https can be read, not {}", url.scheme())))
    }
}

/// How a host writes the URLs of files in repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GitHost {
    /// `/<owner>/<repo>/<blob|raw|tree|edit|blame>/<ref>/<path>`
    GitHub,
    /// `/<owner>/<repo>/<ref>/<path>`
    GitHubRaw,
    /// `/<group>/…/<repo>/-/<blob|raw|tree|edit>/<ref>/<path>`, in older URLs without the `-`
    GitLab,
    /// `/<workspace>/<repo>/<src|raw>/<ref>/<path>`
    Bitbucket,
    /// `/projects/<key>/repos/<repo>/<browse|raw>/<path>?at=<ref>`
    BitbucketServer,
    /// `/<owner>/<repo>/<src|raw|media>/<branch|tag|commit>/<ref>/<path>`
    Gitea,
    /// `/<organisation>/<project>/_git/<repo>?path=/<path>&version=…`
    Azure,
}

fn kind_of(integrations: &Integrations, base: &Url) -> Option<GitHost> {
    let host = target::authority(base);
    let listed =
        |hosts: &[crate::settings::integrations::GitHost]| hosts.iter().any(|one| one.host.eq_ignore_ascii_case(&host));
    match host.as_str() {
        "github.com" => Some(GitHost::GitHub),
        "raw.githubusercontent.com" => Some(GitHost::GitHubRaw),
        "gitlab.com" => Some(GitHost::GitLab),
        "bitbucket.org" => Some(GitHost::Bitbucket),
        "gitea.com" => Some(GitHost::Gitea),
        "dev.azure.com" => Some(GitHost::Azure),
        _ if listed(&integrations.github) => Some(GitHost::GitHub),
        _ if listed(&integrations.gitlab) => Some(GitHost::GitLab),
        _ if listed(&integrations.bitbucket_server) => Some(GitHost::BitbucketServer),
        _ if listed(&integrations.gitea) => Some(GitHost::Gitea),
        _ => None,
    }
}

impl GitHost {
    /// `None` where an absolute path is asked for and the base names no repository.
    fn resolve(self, base: &Url, relative: &str) -> Option<Result<Url, url::ParseError>> {
        if self == Self::Azure {
            return Some(in_query(base, relative));
        }
        let joined = match relative.strip_prefix('/') {
            None => base.join(relative),
            Some(path) => {
                let root = self.root(base)?;
                let mut start = base.clone();
                start.set_path(&format!("{root}/"));
                // Not joined as it is: `//host/path` would mean another host, and `..` must not climb out unseen.
                start.join(&format!("./{}", path.trim_start_matches('/')))
            }
        };
        Some(joined.map(|mut url| {
            // A branch may stand in the query, and holds for the other file as well.
            if url.query().is_none() {
                url.set_query(base.query());
            }
            url.set_fragment(None);
            url
        }))
    }

    /// The path of the repository's root at the revision of the URL.
    fn root(self, base: &Url) -> Option<String> {
        let segments: Vec<&str> = base.path_segments()?.collect();
        let find = |from: usize, words: &[&str]| {
            segments.iter().enumerate().skip(from).find(|(_, segment)| words.contains(segment)).map(|(at, _)| at)
        };
        let length = match self {
            Self::GitHub => find(2, &["blob", "raw", "tree", "edit", "blame"]).filter(|at| *at == 2)? + 2,
            Self::GitHubRaw => match segments.get(2..4) {
                Some(["refs", "heads" | "tags"]) => 5,
                _ => 3,
            },
            Self::GitLab => find(2, &["blob", "raw", "tree", "edit", "blame"])? + 2,
            Self::Bitbucket => find(2, &["src", "raw"]).filter(|at| *at == 2)? + 2,
            Self::BitbucketServer => find(4, &["browse", "raw"]).filter(|at| *at == 4)? + 1,
            Self::Gitea => find(2, &["src", "raw", "media"]).filter(|at| *at == 2)? + 3,
            Self::Azure => return None,
        };
        // There must be a file below the root.
        segments.get(..length).filter(|_| segments.len() > length).map(|root| format!("/{}", root.join("/")))
    }
}

/// Azure DevOps names the file in the query.
fn in_query(base: &Url, relative: &str) -> Result<Url, url::ParseError> {
    let path = base.query_pairs().find(|(name, _)| name == "path").map_or_else(|| "/".into(), |(_, value)| value);
    let mut folder = base.clone();
    folder.set_query(None);
    folder.set_path(&path);
    let file = match relative.strip_prefix('/') {
        Some(path) => {
            folder.set_path("/");
            folder.join(&format!("./{}", path.trim_start_matches('/')))?
        }
        None => folder.join(relative)?,
    };
    let decoded = percent_encoding::percent_decode_str(file.path()).decode_utf8_lossy().into_owned();
    let others: Vec<(String, String)> =
        base.query_pairs().filter(|(name, _)| name != "path").map(|(a, b)| (a.into_owned(), b.into_owned())).collect();
    let mut url = base.clone();
    url.set_fragment(None);
    url.query_pairs_mut().clear().append_pair("path", &decoded).extend_pairs(others);
    Ok(url)
}

fn target_without_secrets(relative: &str) -> String {
    match Url::parse(relative) {
        Ok(url) => target::shown(&url),
        Err(_) => relative.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolving() {
        let integrations: Integrations = serde_json::from_value(serde_json::json!({
            "github": [{"host": "ghe.example.com"}], "gitlab": [{"host": "git.example.com:8443"}],
            "bitbucketServer": [{"host": "stash.example.com"}], "gitea": {"host": "gitea.example.com"}
        }))
        .unwrap();
        let check = |base: &str, relative: &str, expected: &str| {
            let seen = resolve(&integrations, &Url::parse(base).unwrap(), relative);
            assert_eq!(seen.map(String::from), Ok(expected.to_owned()), "{relative} in {base}");
        };
        let plain = "https://example.com/a/b/catalog-info.yaml?x=1";
        check(plain, "spec.json", "https://example.com/a/b/spec.json");
        check(plain, "./spec.json", "https://example.com/a/b/spec.json");
        check(plain, "../spec.json", "https://example.com/a/spec.json");
        check(plain, "/spec.json", "https://example.com/spec.json");
        check(plain, "//other.example/spec.json", "https://other.example/spec.json");
        check(plain, "https://other.example/spec.json?y", "https://other.example/spec.json?y");
        check(
            "https://bucket.s3.eu-west-1.amazonaws.com/p/a.yaml",
            "b%20c.json",
            "https://bucket.s3.eu-west-1.amazonaws.com/p/b%20c.json",
        );
        check("http://minio:9000/bucket/p/a.yaml", "./b.json", "http://minio:9000/bucket/p/b.json");

        let github = "https://github.com/acme/shop/blob/main/svc/catalog-info.yaml";
        check(github, "./api/spec.json", "https://github.com/acme/shop/blob/main/svc/api/spec.json");
        check(github, "/api/spec.json", "https://github.com/acme/shop/blob/main/api/spec.json");
        check(github, "//evil.test/spec.json", "https://github.com/acme/shop/blob/main/evil.test/spec.json");
        check("https://ghe.example.com/a/b/tree/v1/x.yaml", "/y.json", "https://ghe.example.com/a/b/tree/v1/y.json");
        check(
            "https://raw.githubusercontent.com/a/b/main/c/x.yaml",
            "/y.json",
            "https://raw.githubusercontent.com/a/b/main/y.json",
        );
        check(
            "https://raw.githubusercontent.com/a/b/refs/heads/main/c/x.yaml",
            "/y.json",
            "https://raw.githubusercontent.com/a/b/refs/heads/main/y.json",
        );
        check(
            "https://gitlab.com/g/s/repo/-/blob/main/a/x.yaml",
            "/y.json",
            "https://gitlab.com/g/s/repo/-/blob/main/y.json",
        );
        check(
            "https://git.example.com:8443/g/repo/blob/main/a/x.yaml",
            "/y.json",
            "https://git.example.com:8443/g/repo/blob/main/y.json",
        );
        check(
            "https://bitbucket.org/w/repo/src/master/a/x.yaml",
            "/y.json",
            "https://bitbucket.org/w/repo/src/master/y.json",
        );
        check(
            "https://stash.example.com/projects/P/repos/r/browse/a/x.yaml?at=dev",
            "/y.json",
            "https://stash.example.com/projects/P/repos/r/browse/y.json?at=dev",
        );
        check(
            "https://gitea.example.com/o/r/src/branch/main/a/x.yaml",
            "/y.json",
            "https://gitea.example.com/o/r/src/branch/main/y.json",
        );
        check(
            "https://dev.azure.com/org/p/_git/r?path=/a/x.yaml&version=GBmain",
            "./y.json",
            "https://dev.azure.com/org/p/_git/r?path=%2Fa%2Fy.json&version=GBmain",
        );
        check(
            "https://dev.azure.com/org/p/_git/r?path=/a/x.yaml",
            "/b/y z.json",
            "https://dev.azure.com/org/p/_git/r?path=%2Fb%2Fy+z.json",
        );
    }

    #[test]
    fn mistakes() {
        let check = |base: &str, relative: &str, part: &str| {
            let error = resolve(&Integrations::default(), &Url::parse(base).unwrap(), relative).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        };
        check("https://example.com/a", "file:///etc/passwd", "only http and https");
        check("https://example.com/a", "javascript:alert(1)", "only http and https");
        check("https://example.com/a", "https://", "empty host");
        check("https://github.com/acme", "/x", "no repository");
        check("https://github.com/acme/blob/blob/blob", "/x", "no repository");
    }
}
