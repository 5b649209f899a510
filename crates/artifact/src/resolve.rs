//! From a requirement to one version.

use semver::{Version, VersionReq};

use crate::oci::{ComponentLayer, Manifest};

/// What a source stands for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The version that its tag says. A tag such as `latest` says none.
    pub version: Option<Version>,
    /// The tag, unless it was named by its digest alone.
    pub tag: Option<String>,
    /// Its manifest.
    pub manifest: Manifest,
    /// The component that the manifest names.
    pub component: ComponentLayer,
}

/// The tag of a version. No tag may have a `+`, so it is `_`, as everywhere that versions are tags.
#[must_use]
pub fn tag_for(version: &Version) -> String {
    version.to_string().replace('+', "_")
}

/// The version that a tag says: `1.2.3` and `v1.2.3` do, `latest` and `1.2` do not.
#[must_use]
pub fn version_of(tag: &str) -> Option<Version> {
    let plain = tag.strip_prefix('v').unwrap_or(tag);
    Version::parse(&plain.replacen('_', "+", 1)).ok()
}

/// The highest version among tags that satisfies a requirement, with its tag. Pre-releases count only where the
/// requirement names one of the same version (`^2.0.0-rc`).
#[must_use]
pub fn highest<'a>(tags: impl IntoIterator<Item = &'a str>, requirement: &VersionReq) -> Option<(Version, &'a str)> {
    let versions = tags.into_iter().filter_map(|tag| Some((version_of(tag)?, tag)));
    let satisfying = versions.filter(|(version, _)| requirement.matches(version));
    // Of two tags for one version it is the plain one, whatever the order they come in.
    satisfying.max_by(|(left, left_tag), (right, right_tag)| {
        left.cmp(right).then_with(|| right_tag.starts_with('v').cmp(&left_tag.starts_with('v')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_versions() {
        for (tag, version) in [
            ("1.2.3", Some("1.2.3")),
            ("v1.2.3", Some("1.2.3")),
            ("1.2.3-rc.1", Some("1.2.3-rc.1")),
            ("1.2.3_build.5", Some("1.2.3+build.5")),
            ("1.2.3-rc.1_b", Some("1.2.3-rc.1+b")),
            ("1.2", None),
            ("latest", None),
            ("V1.2.3", None),
            ("vv1.2.3", None),
            ("1.2.3_a_b", None),
            ("01.2.3", None),
            ("1.2.3.4", None),
            ("", None),
            ("sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.sig", None),
        ] {
            assert_eq!(version_of(tag).map(|version| version.to_string()).as_deref(), version, "{tag}");
        }
        for version in ["1.2.3", "1.2.3-rc.1+b.c"] {
            let version = Version::parse(version).unwrap();
            assert_eq!(version_of(&tag_for(&version)), Some(version));
        }
    }

    #[test]
    fn the_highest() {
        fn check(tags: &[&str], requirement: &str, expected: Option<&str>) {
            let requirement = VersionReq::parse(requirement).unwrap();
            let mut turned = tags.to_vec();
            for _ in 0..2 {
                let found = highest(turned.iter().copied(), &requirement).map(|(_, tag)| tag);
                assert_eq!(found, expected, "{turned:?} {requirement}");
                turned.reverse();
            }
        }
        let tags = ["1.0.0", "1.2.0", "v1.10.0", "1.9.9", "2.0.0-rc.1", "0.9.0", "latest", "1.2", "sha256-00"];
        check(&tags, "*", Some("v1.10.0"));
        check(&tags, "^1", Some("v1.10.0"));
        check(&tags, "~1.2", Some("1.2.0"));
        check(&tags, "=1.0.0", Some("1.0.0"));
        check(&tags, "<1.0.0", Some("0.9.0"));
        check(&tags, ">=1.2, <1.10", Some("1.9.9"));
        check(&tags, "^2", None);
        check(&tags, "^2.0.0-rc", Some("2.0.0-rc.1"));
        check(&tags, ">=1.0.0-alpha", Some("v1.10.0"));
        check(&["1.0.0", "v1.0.0"], "^1", Some("1.0.0"));
        check(&["1.0.0_a", "1.0.0_b"], "^1", Some("1.0.0_b"));
        check(&["2.0.0-rc.1", "2.0.0-rc.2", "2.0.0-beta"], "^2.0.0-0", Some("2.0.0-rc.2"));
        check(&[], "*", None);
    }
}
