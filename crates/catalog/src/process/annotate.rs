//! What the catalog says about where an entity is from.

use callboard_model::entity::Entity;
use callboard_model::location_ref::LocationRef;
use url::Url;

use super::git::GitHosts;

const VIEW_URL: &str = "backstage.io/view-url";
const EDIT_URL: &str = "backstage.io/edit-url";
const SOURCE_LOCATION: &str = "backstage.io/source-location";

/// What stands where an author had put a script.
const REJECTED: &str = "https://backstage.io/annotation-rejected-for-security-reasons";

/// Adds the annotations that the author did not set. `folder_of` knows how a host writes the folder of a file.
pub(super) fn annotate(
    entity: &mut Entity,
    location: &LocationRef,
    hosts: &GitHosts,
    folder_of: impl Fn(&Url) -> Option<Url>,
) {
    if location.kind == "url"
        && let Ok(url) = Url::parse(&location.target)
    {
        let folder = folder_of(&url).map(|folder| format!("url:{folder}"));
        let edit = hosts.edit_url(&url).map(String::from);
        for (key, value) in [(VIEW_URL, Some(location.target.clone())), (EDIT_URL, edit), (SOURCE_LOCATION, folder)] {
            if let Some(value) = value.filter(|_| entity.annotation(key).is_none()) {
                entity.set_annotation(key, value);
            }
        }
    }
}

/// Takes scripts out of the annotations that become links.
pub(super) fn reject_scripts(entity: &mut Entity) {
    for key in [VIEW_URL, EDIT_URL] {
        if entity.annotation(key).is_some_and(is_script) {
            entity.set_annotation(key, REJECTED);
        }
    }
}

/// Whether a browser would run it: browsers skip leading control characters and blanks, and line breaks anywhere.
fn is_script(url: &str) -> bool {
    let text: String = url
        .chars()
        .skip_while(|c| c.is_control() || c.is_whitespace())
        .filter(|c| !matches!(c, '\r' | '\n' | '\t'))
        .take("javascript:".len())
        .collect();
    text.eq_ignore_ascii_case("javascript:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn annotated(location: &str, annotations: serde_json::Value) -> Entity {
        let value = json!({"apiVersion": "v1", "kind": "API", "metadata": {"name": "a", "annotations": annotations}});
        let mut entity = Entity::from_value(value).unwrap();
        let hosts = GitHosts::new(&[("ghe.example".to_owned(), crate::Scm::Github)].into());
        annotate(&mut entity, &LocationRef::parse(location).unwrap(), &hosts, |url| url.join("./").ok());
        reject_scripts(&mut entity);
        entity
    }

    #[test]
    fn added() {
        fn check(location: &str, own: serde_json::Value, expected: [Option<&str>; 3]) {
            let entity = annotated(location, own);
            assert_eq!([VIEW_URL, EDIT_URL, SOURCE_LOCATION].map(|key| entity.annotation(key)), expected, "{location}");
        }
        check(
            "url:https://github.com/a/b/blob/main/x/c.yaml",
            json!({}),
            [
                Some("https://github.com/a/b/blob/main/x/c.yaml"),
                Some("https://github.com/a/b/edit/main/x/c.yaml"),
                Some("url:https://github.com/a/b/blob/main/x/"),
            ],
        );
        check(
            "url:https://ghe.example/a/b/blob/main/x/c.yaml",
            json!({EDIT_URL: "https://other.example/edit", SOURCE_LOCATION: "url:https://other.example/"}),
            [
                Some("https://ghe.example/a/b/blob/main/x/c.yaml"),
                Some("https://other.example/edit"),
                Some("url:https://other.example/"),
            ],
        );
        check(
            "url:https://ghe.example/a/b/blob/main/x/c.yaml",
            json!({}),
            [
                Some("https://ghe.example/a/b/blob/main/x/c.yaml"),
                Some("https://ghe.example/a/b/edit/main/x/c.yaml"),
                Some("url:https://ghe.example/a/b/blob/main/x/"),
            ],
        );
        check(
            "url:https://x.example/c.yaml",
            json!({VIEW_URL: "https://other.example/"}),
            [Some("https://other.example/"), None, Some("url:https://x.example/")],
        );
        check("file:/srv/c.yaml", json!({}), [None, None, None]);
    }

    #[test]
    fn scripts() {
        fn check(url: &str, rejected: bool) {
            let entity = annotated("file:/srv/c.yaml", json!({VIEW_URL: url, EDIT_URL: url}));
            let expected = if rejected { REJECTED } else { url };
            assert_eq!([VIEW_URL, EDIT_URL].map(|key| entity.annotation(key)), [Some(expected); 2], "{url:?}");
        }
        check("javascript:alert(1)", true);
        check("JaVaScRiPt:alert(1)", true);
        check("\u{1} \tjava\nscr\tipt:alert(1)", true);
        check("https://x.example/javascript:", false);
        check("java", false);
    }
}
