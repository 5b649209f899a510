//! Repositories in URLs.

use url::Url;

/// The repository that a URL of a file belongs to, where its host is a known git host.
pub(super) fn repository(url: &Url) -> Option<String> {
    let host = url.host_str()?.to_ascii_lowercase();
    let parts: Vec<&str> = url.path_segments()?.collect();
    let name = match (host.as_str(), parts.as_slice()) {
        ("github.com", [owner, repository, "blob" | "raw" | "tree" | "edit", ..])
        | ("raw.githubusercontent.com", [owner, repository, _, _, ..]) => {
            return Some(format!("github.com/{owner}/{repository}").to_ascii_lowercase());
        }
        ("bitbucket.org", [owner, repository, "src" | "raw", ..]) => format!("{owner}/{repository}"),
        ("gitlab.com", parts) => {
            let end = parts.iter().position(|part| matches!(*part, "-" | "blob" | "raw"))?;
            parts.get(..end)?.join("/")
        }
        _ => return None,
    };
    Some(format!("{host}/{name}").to_ascii_lowercase())
}

/// The page that edits a file, where its host is a known git host. There is none for the state of a single commit.
pub(super) fn edit_url(url: &Url) -> Option<Url> {
    let host = url.host_str()?.to_ascii_lowercase();
    let path = url.path();
    let edited = match host.as_str() {
        "github.com" => path.replacen("/blob/", "/edit/", 1),
        "gitlab.com" => path.replacen("/-/blob/", "/-/edit/", 1).replacen("/-/raw/", "/-/edit/", 1),
        _ => return None,
    };
    let commit = path.split('/').any(|part| part.len() >= 40 && part.chars().all(|c| c.is_ascii_hexdigit()));
    if commit || edited == path {
        return None;
    }
    let mut url = url.clone();
    url.set_path(&edited);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories() {
        fn check(url: &str, expected: Option<&str>, edit: Option<&str>) {
            let url = Url::parse(url).unwrap();
            assert_eq!(repository(&url).as_deref(), expected, "{url}");
            assert_eq!(edit_url(&url).map(String::from).as_deref(), edit, "{url}");
        }
        check(
            "https://github.com/Acme/shop/blob/main/a/b.yaml",
            Some("github.com/acme/shop"),
            Some("https://github.com/Acme/shop/edit/main/a/b.yaml"),
        );
        check("https://raw.githubusercontent.com/acme/shop/main/b.yaml", Some("github.com/acme/shop"), None);
        check(
            "https://gitlab.com/a/b/c/-/blob/main/x.yaml",
            Some("gitlab.com/a/b/c"),
            Some("https://gitlab.com/a/b/c/-/edit/main/x.yaml"),
        );
        check(
            "https://github.com/acme/shop/blob/0123456789abcdef0123456789abcdef01234567/b.yaml",
            Some("github.com/acme/shop"),
            None,
        );
        check("https://bucket.s3.eu-west-1.amazonaws.com/a.yaml", None, None);
        check("https://github.com/acme", None, None);
    }
}
