//! Configurations in the shape that companies have, and what Callboard says of them.
//!
//! A case is a folder of `tests/config/`: an `app-config.yaml` with its layers, the environment in `env.yaml`, and in
//! `report.txt` the answer. `UPDATE_GOLDEN=1` writes the answers anew.
#![allow(clippy::expect_used, reason = "the helpers of a test stop at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use callboard::config::sources::Sources;
use callboard::config::{Database, Loaded, load};

/// What no message may ever contain: every secret of the cases begins with it.
const CANARY: &str = "canary";

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(case)
}

fn load_case(case: &str) -> Loaded {
    let dir = folder(case);
    let env: BTreeMap<String, String> = match std::fs::read_to_string(dir.join("env.yaml")) {
        Ok(text) => serde_saphyr::from_str(&text).expect("an environment"),
        Err(_) => BTreeMap::new(),
    };
    load(&Sources { files: Vec::new(), dir, env })
}

/// The report is as it was written down, and gives no secret away.
fn check(case: &str) -> Loaded {
    let loaded = load_case(case);
    let report = loaded.report.to_string().replace(&folder(case).display().to_string(), "<folder>");
    assert!(!report.contains(CANARY), "{case}: a secret is in the report:\n{report}");
    let debug = format!("{loaded:?}");
    assert!(!debug.contains(CANARY), "{case}: a secret is in the debug output:\n{debug}");
    let golden = folder(case).join("report.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &report).expect("the report is written");
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(report, expected, "{case}: UPDATE_GOLDEN=1 writes the new report");
    loaded
}

#[test]
fn real_shaped_configurations_start() {
    for case in ["stock", "github-org", "aws", "kubernetes", "large"] {
        let loaded = check(case);
        assert!(loaded.report.is_accepted(false), "{case}:\n{}", loaded.report);
        assert!(!loaded.report.is_accepted(true), "{case} has keys without effect, which --strict takes for errors");
        assert!(loaded.config.is_some(), "{case}");
    }
}

#[test]
fn mistakes_are_named() {
    let loaded = check("mistakes");
    assert!(loaded.config.is_none());
}

#[test]
fn layers_and_substitution_reach_the_typed_form() {
    let stock = load_case("stock").config.expect("stock");
    assert_eq!(stock.app.title, "Scaffolded Backstage App");
    assert_eq!(stock.backend.database, Database::Memory);
    assert_eq!(stock.auth.guest, None, "no guest outside development");

    let github = load_case("github-org").config.expect("github-org");
    assert_eq!(github.app.base_url.as_ref().map(url::Url::as_str), Some("http://localhost:3000/"));
    let guest = github.auth.guest.as_ref().expect("a guest in development");
    assert_eq!(guest.user_entity_ref.to_string(), "user:default/robin");
    assert_eq!(github.raw["integrations"]["github"][0]["apps"][0]["appId"], 123_456);
    assert!(github.raw["backend"].get("cors").is_none(), "null hides a lower layer");

    let aws = load_case("aws").config.expect("aws");
    assert_eq!(aws.app.title, "Halcyon Developer Portal", "the environment wins over files");
    assert_eq!(aws.raw["backend"]["database"]["connection"]["password"], "canary-password-2");
    assert_eq!(aws.raw["catalog"]["readonly"], true, "a boolean in words");
    assert_eq!(aws.backend.listen.port, 7007);

    let kubernetes = load_case("kubernetes").config.expect("kubernetes");
    assert_eq!(kubernetes.backend.database, Database::Directory(PathBuf::from("/var/lib/backstage")));
    assert!(kubernetes.auth.guest.is_some(), "allowed outside development on purpose");
    assert_eq!(kubernetes.raw["auth"]["providers"]["oidc"]["production"]["clientSecret"], "canary-oidc-secret");

    let large = load_case("large").config.expect("large");
    assert_eq!(large.backend.listen.port, 7007, "a fallback in a flow mapping");
    assert!(large.permission.enabled);
}

#[test]
fn the_example_configuration_has_no_findings() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = Sources { files: vec!["app-config.yaml".into()], dir, env: BTreeMap::new() };
    let Loaded { config, report } = load(&sources);
    assert!(report.is_accepted(true), "{report}");
    let config = config.expect("the example");
    assert_eq!(config.plugins.iter().map(|plugin| plugin.id.as_str()).collect::<Vec<_>>(), ["s3"]);
    assert_eq!(config.auth.development_users.len(), 2);
    assert!(config.auth.guest.is_some());
}
