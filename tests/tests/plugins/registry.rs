//! Plugins from a real registry: added by a requirement, updated, held, and refused.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result};
use bytes::Bytes;
use callboard_artifact::Source;
use callboard_artifact::oci::{About, Pushed, Registries, Registry, Repository};
use callboard_artifact::trust::SigningKey;
use callboard_egress::{Egress, Settings};
use callboard_model::api::PluginState;
use callboard_tests::environment;
use callboard_tests::generations::{ID, asking, name, shown, version};
use callboard_tests::portal::TestPortal;
use callboard_tests::registry::OciRegistry;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A registry, its repository, and a portal whose app-config names no plugin yet.
struct Place {
    server: OciRegistry,
    registry: Arc<Registry>,
    repository: Repository,
    portal: TestPortal,
}

const APP_CONFIG: &str = "# ours\nplugins:\n\ncatalog: {} # later\n";

impl Place {
    async fn new() -> Result<Place> {
        let server = OciRegistry::start().await?;
        let egress = Egress::new(Settings::from_values(&Value::Null, &Value::Null, &Value::Null)?)?;
        let repository = Repository::parse(&server.host(), "acme/generations")?;
        let registry = Registries::new(egress, Vec::new())?.of(&repository)?;
        let portal = TestPortal::start(APP_CONFIG).await?;
        Ok(Place { server, registry, repository, portal })
    }

    fn source(&self) -> String {
        format!("oci://{}", self.repository)
    }

    async fn push(&self, number: u8, component: Vec<u8>) -> Result<Pushed> {
        let about = About { title: "generations.wasm".to_owned(), ..About::default() };
        Ok(self.registry.push(&self.repository, &name(number).parse()?, Bytes::from(component), &about).await?)
    }

    /// `callboard plugin …` over the portal's own files, with an answer to its question.
    async fn plugin(&self, arguments: &[&str], answer: &str) -> Result<(bool, String)> {
        self.callboard(&[&["plugin"], arguments].concat(), answer).await
    }

    async fn callboard(&self, arguments: &[&str], answer: &str) -> Result<(bool, String)> {
        let output = run(self.portal.folder(), arguments, answer).await?;
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        Ok((output.status.success(), text))
    }

    fn app_config(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.portal.folder().join("app-config.yaml"))?)
    }

    fn lock(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&std::fs::read(self.portal.folder().join("callboard.lock"))?)?)
    }

    async fn until_it_shows(&self, text: &str) -> Result<()> {
        let path = format!("api/plugins/{ID}/ui/page/render");
        self.portal
            .until(text, async || {
                let answer = self.portal.client().post(&path, &json!({})).await?;
                Ok(answer.status.is_success() && answer.json::<Value>()?["root"]["text"] == text)
            })
            .await
    }
}

/// Those of this portal.
fn interfaces() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/interfaces.json")
}

async fn run(folder: &Path, arguments: &[&str], answer: &str) -> Result<Output> {
    let mut process = Command::new(environment::server()?)
        .args(arguments)
        .args(["--config", "base.yaml", "--config", "app-config.yaml"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("the command did not start")?;
    let mut input = process.stdin.take().context("its input was to be piped")?;
    // One that asks nothing may have ended.
    input.write_all(answer.as_bytes()).await.ok();
    drop(input);
    Ok(process.wait_with_output().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn added_updated_and_held() -> Result<()> {
    let place = Place::new().await?;
    place.push(1, version(1, "works")?).await?;
    let source = place.source();

    let (added, text) = place.plugin(&["add", &source, "--version", "^1"], "n\n").await?;
    assert!(!added && text.contains("It asks for:\n  log: true\n  kv: true") && text.contains("[y/N]"), "{text}");
    assert_eq!(place.app_config()?, APP_CONFIG, "a no changes nothing");
    assert!(!place.portal.folder().join("callboard.lock").exists());
    let (added, text) = place.plugin(&["add", &source, "--version", "^1"], "").await?;
    assert!(!added && text.contains("--grant-requested"), "{text}");

    let (added, text) = place.plugin(&["add", &source, "--version", "^1"], "y\n").await?;
    assert!(added, "{text}");
    let expected = format!(
        "# ours\nplugins:\n  generations:\n    source: {source}\n    version: ^1\n    grant:\n      kv: true\n      \
         log: true\n\ncatalog: {{}} # later\n"
    );
    assert_eq!(place.app_config()?, expected);
    assert_eq!(place.lock()?["plugins"][ID]["version"], name(1));
    place.until_it_shows(&shown(1, "")).await?;

    let newer = std::fs::read_to_string(interfaces())?.replace("callboard:plugin/ui", "callboard:plugin/pages");
    std::fs::write(place.portal.folder().join("newer.json"), newer)?;
    for (wit, loads, expected) in [
        (interfaces().display().to_string(), true, "generations 1.0.1 would load"),
        ("newer.json".to_owned(), false, "generations would not load: it exports callboard:plugin/ui"),
    ] {
        let (passed, text) = place.callboard(&["upgrade", "check", "--wit", &wit], "").await?;
        assert!(passed == loads && text.contains(expected), "{text}");
    }

    let (current, text) = place.plugin(&["update", "--check"], "").await?;
    assert!(current && text.contains("up to date"), "{text}");
    // A patch that asks for nothing more, and a minor that does.
    place.push(2, version(2, "works")?).await?;
    place.push(10, asking(10, "works", "https://one.example")?).await?;
    let (current, text) = place.plugin(&["outdated"], "").await?;
    assert!(!current && text.contains("1.0.1") && text.contains("1.1.0"), "{text}");
    let (current, _) = place.plugin(&["update", "--check"], "").await?;
    assert!(!current && place.lock()?["plugins"][ID]["version"] == name(1), "a check changes nothing");
    let (updated, text) = place.plugin(&["update"], "").await?;
    assert!(updated && text.contains("1.0.2 takes the place of 1.0.1"), "{text}");
    assert!(text.contains("1.1.0 waits") && text.contains("https://one.example"), "{text}");
    place.until_it_shows(&shown(2, "")).await?;
    let held = place.portal.plugin(ID).await?.held.context("the page says what waits")?;
    assert_eq!(held.version, name(10));
    assert!(held.added.iter().any(|right| right.contains("https://one.example")), "{held:?}");

    let (updated, text) = place.plugin(&["update", ID], "y\n").await?;
    assert!(updated && text.contains("1.1.0 takes the place of 1.0.2"), "{text}");
    assert!(place.app_config()?.contains("GET https://one.example"), "{}", place.app_config()?);
    place.until_it_shows(&shown(10, "")).await?;
    let plugin = place.portal.plugin(ID).await?;
    assert_eq!((plugin.held, plugin.notice), (None, None));
    let (_, text) = place.plugin(&["why", ID], "").await?;
    assert!(text.contains("1.1.0 is approved") && text.contains("https://one.example"), "{text}");
    let (_, text) = place.plugin(&["list"], "").await?;
    assert!(text.contains("generations  1.1.0"), "{text}");

    // It needs the registry no more: what was approved is kept.
    let Place { mut server, portal, .. } = place;
    server.stop().await?;
    let files = std::fs::read_to_string(portal.folder().join("app-config.yaml"))?;
    let portal = portal.restart(files).await?;
    assert_eq!(portal.plugin(ID).await?.state, PluginState::Running);
    let removed = run(portal.folder(), &["plugin", "remove", ID], "").await?;
    assert!(removed.status.success());
    let left = std::fs::read_to_string(portal.folder().join("app-config.yaml"))?;
    assert_eq!(left, APP_CONFIG);
    portal.until("no plugin", async || Ok(portal.plugin(ID).await.is_err())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused() -> Result<()> {
    let place = Place::new().await?;
    let source = place.source();
    let one = place.push(1, version(1, "works")?).await?;
    let two = place.push(2, version(2, "works")?).await?;
    let (added, text) = place.plugin(&["add", &source, "--version", "=1.0.1", "--grant-requested"], "").await?;
    assert!(added, "{text}");
    place.until_it_shows(&shown(1, "")).await?;
    let refused = async |arguments: &[&str], parts: &[&str]| -> Result<()> {
        let (done, text) = place.plugin(arguments, "").await?;
        assert!(!done, "{text}");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
        Ok(())
    };

    // A tag that stands for something else than what was approved under it.
    place.server.move_tag("acme/generations", "1.0.1", &two.manifest.bytes).await?;
    refused(&["update"], &["1.0.1", "approved"]).await?;
    place.server.move_tag("acme/generations", "1.0.1", &one.manifest.bytes).await?;

    // An older version than the approved one.
    let forward = place.app_config()?.replace("=1.0.1", "^1");
    std::fs::write(place.portal.folder().join("app-config.yaml"), &forward)?;
    let (updated, text) = place.plugin(&["update"], "").await?;
    assert!(updated, "{text}");
    place.until_it_shows(&shown(2, "")).await?;
    std::fs::write(place.portal.folder().join("app-config.yaml"), forward.replace("^1", "=1.0.1"))?;
    refused(&["update"], &["older", "--allow-downgrade"]).await?;
    // Until somebody has agreed, the portal does not run what app-config no longer allows to be new.
    place.portal.until("a notice", async || Ok(place.portal.plugin(ID).await?.notice.is_some())).await?;
    let notice = place.portal.plugin(ID).await?.notice.unwrap_or_default();
    assert!(notice.contains("callboard plugin update generations"), "{notice}");
    let (updated, text) = place.plugin(&["update", "--allow-downgrade"], "").await?;
    assert!(updated, "{text}");
    place.until_it_shows(&shown(1, "")).await?;

    // Where signatures are required, an unsigned one neither comes nor stays.
    let key = SigningKey::from_pem(KEY)?;
    let trust = format!("  trust:\n    require:\n      - key: {}\n", json!(key.public_pem()));
    let trusting = place.app_config()?.replace("plugins:\n", &format!("plugins:\n{trust}"));
    std::fs::write(place.portal.folder().join("app-config.yaml"), trusting)?;
    place.portal.until("a refusal", async || Ok(place.portal.plugin(ID).await?.state == PluginState::Refused)).await?;
    let reason = place.portal.plugin(ID).await?.reason.unwrap_or_default();
    assert!(reason.contains("it is not signed") && reason.contains("plugins.trust.require"), "{reason}");
    refused(&["inspect", &source], &["it is not signed", "callboard plugin sign"]).await?;
    let key_file = place.portal.folder().join("signing.pem");
    std::fs::write(&key_file, KEY)?;
    let target = format!("{source}:1.0.1");
    let (signed, text) = place.plugin(&["sign", &target, "--key", "signing.pem"], "").await?;
    assert!(signed && text.contains("BEGIN PUBLIC KEY"), "{text}");
    let reload = format!("api/plugins/{ID}/reload");
    let answer = place.portal.client().post(&reload, &json!({})).await?;
    assert!(answer.status.is_success(), "{}", answer.text());
    place.until_it_shows(&shown(1, "")).await?;
    let signed_by = place.portal.plugin(ID).await?.signed_by.context("the page says who signed it")?;
    assert!(signed_by.starts_with("the key sha256:"), "{signed_by}");

    // Bytes that are not those that were published.
    let digest = two.manifest.component()?.digest.to_string();
    let blob = place.server.blob(&digest);
    let mut tampered = std::fs::read(&blob)?;
    let last = tampered.last_mut().context("an empty component")?;
    *last ^= 1;
    std::fs::write(&blob, tampered)?;
    refused(&["inspect", &source, "--version", "=1.0.2"], &["digest"]).await?;
    assert!(Source::parse(&source, None)?.is_remote());
    Ok(())
}

/// A key of these tests alone.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIA1CZ1cC0Q7m3qkDtrYyRzoc8KqD0wAzXjKzDsz4Yv5n
-----END PRIVATE KEY-----
";
