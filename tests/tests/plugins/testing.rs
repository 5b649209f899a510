//! `callboard plugin test` and `callboard plugin bench`, as a plugin's author runs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use callboard_tests::environment;
use callboard_tests::hostile::Hostile;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

/// The folder of a plugin with its cases, and the component.
struct Author {
    folder: TempDir,
    component: PathBuf,
}

impl Author {
    fn new(component: PathBuf) -> Result<Author> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("tests"))?;
        Ok(Author { folder, component })
    }

    /// Whoever works on the bundled S3 plugin, with cases of their own.
    fn of_s3() -> Result<Author> {
        let author = Author::new(environment::plugin("s3")?)?;
        for entry in std::fs::read_dir(environment::root().join("plugins/s3/tests"))? {
            let path = entry?.path();
            std::fs::copy(&path, author.file(&path.file_name().context("a name")?.to_string_lossy()))?;
        }
        Ok(author)
    }

    /// A file beside the cases.
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("tests").join(name)
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        Ok(std::fs::write(self.file(name), content)?)
    }

    fn read(&self, name: &str) -> Result<String> {
        std::fs::read_to_string(self.file(name)).context(name.to_owned())
    }

    fn golden(&self, case: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.read(&format!("{case}.golden.json"))?)?)
    }

    async fn test(&self, arguments: &[&str], env: &[(&str, &str)]) -> Result<(bool, String)> {
        test(self.folder.path(), &self.component, arguments, env).await
    }

    async fn passes(&self, arguments: &[&str], env: &[(&str, &str)]) -> Result<String> {
        let (passed, said) = self.test(arguments, env).await?;
        anyhow::ensure!(passed, "{arguments:?}: {said}");
        Ok(said)
    }

    async fn fails(&self, arguments: &[&str], env: &[(&str, &str)]) -> Result<String> {
        let (passed, said) = self.test(arguments, env).await?;
        anyhow::ensure!(!passed, "{arguments:?}: {said}");
        Ok(said)
    }
}

async fn test(folder: &Path, component: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Result<(bool, String)> {
    let folder = folder.display().to_string();
    let mut all = vec!["test", &folder];
    all.extend(arguments);
    let cache = environment::cache()?.join("cli");
    let mut command = plugin(&all, component)?;
    command.arg("--cache-dir").arg(cache).envs(env.iter().copied());
    let output = command.output().await?;
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Ok((output.status.success(), text))
}

/// `callboard plugin …`, without anything in the environment that a recording could depend on.
fn plugin(arguments: &[&str], component: &Path) -> Result<Command> {
    let mut command = Command::new(environment::server()?);
    command.arg("plugin").args(arguments).arg("--component").arg(component);
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// Every bundled plugin has cases, and passes them.
#[tokio::test(flavor = "multi_thread")]
async fn bundled_plugins_pass_their_cases() -> Result<()> {
    for subject in super::SUBJECTS {
        let folder = environment::root().join("plugins").join(subject.id);
        let (passed, said) = test(&folder, &environment::plugin(subject.id)?, &[], &[]).await?;
        assert!(passed && said.contains("\nok "), "{}: {said}", subject.id);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_fails() -> Result<()> {
    let author = Author::of_s3()?;
    let said = author.passes(&["tab", "pages"], &[]).await?;
    assert!(
        said.contains("ok      tab") && !said.contains("listing") && said.ends_with("2 of 2 cases pass\n"),
        "{said}"
    );

    // Another answer: the difference, and not the whole of it.
    let golden = author.read("tab.golden.json")?;
    author.write("tab.golden.json", &golden.replace("\"S3 object\"", "\"An object\""))?;
    let said = author.fails(&["tab"], &[]).await?;
    assert!(said.contains("FAILED  tab") && said.contains("0 of 1 cases pass"), "{said}");
    let (expected, answered) = ("-        \"title\": \"An object\"", "+        \"title\": \"S3 object\"");
    assert!(said.contains(expected) && said.contains(answered) && said.contains("--update"), "{said}");
    assert!(!said.contains("\"Region\""), "what is the same is not shown: {said}");
    assert!(author.passes(&["tab", "--update"], &[]).await?.contains("wrote "));
    assert_eq!(author.read("tab.golden.json")?, golden);

    // A request that nobody recorded, and one that nobody sends any more.
    let cassette = author.read("pages.cassette.yaml")?;
    author.write("pages.cassette.yaml", &cassette.replace("/?continuation-token", "/?another-token"))?;
    let said = author.fails(&["pages", "--update"], &[]).await?;
    let missing = "GET https://acme-teams.s3.eu-central-1.amazonaws.com/?continuation-token=1ueG";
    assert!(said.contains(missing) && said.contains("pages.cassette.yaml. `callboard plugin test --record`"), "{said}");
    assert!(said.contains("has requests that were not sent") && said.contains("/?another-token=1ueG"), "{said}");
    assert!(!said.contains("wrote "), "what is wrong does not become what is expected: {said}");
    author.write("pages.cassette.yaml", &cassette.replace("the bucket acme-teams", "the bucket others"))?;
    let said = author.fails(&["pages"], &[]).await?;
    assert!(
        said.contains("has the credential for the bucket others at AWS, and this one the credential for"),
        "{said}"
    );
    author.write("pages.cassette.yaml", "exchanges: 7")?;
    let said = author.fails(&["pages"], &[]).await?;
    assert!(said.contains("pages.cassette.yaml: ") && said.contains("invalid type"), "{said}");

    // A case that makes no sense.
    author.write("tab.yaml", "calls:\n  - ui: { extension: object, entity: \"api:default/x\", entitty: 1 }\n")?;
    let said = author.fails(&["tab"], &[]).await?;
    assert!(said.contains("tab.yaml: calls[0]") && said.contains("`entitty`"), "{said}");
    author.write("tab.yaml", "calls: [\n")?;
    assert!(author.fails(&["tab"], &[]).await?.contains("tab.yaml:"));
    std::fs::remove_file(author.file("tab.yaml"))?;
    let said = author.fails(&["tabs"], &[]).await?;
    assert!(said.contains("no case `tabs`") && said.contains("there are: denied, listing, pages"), "{said}");
    Ok(())
}

const CANARY: &str = "canary-7f3a/token";

/// A guest that says all that it can find out has its upstream recorded, which repeats what it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_has_no_secret() -> Result<()> {
    let author = Author::new(environment::guest("secret_hunter")?)?;
    let case = "config:\n  hostile:\n    url: ${UPSTREAM:-https://upstream.example}/echo\n    token: ${TOKEN}\n\
                calls:\n  - ui: { extension: attack }\n";
    author.write("hunt.yaml", case)?;
    let upstream = Hostile::start().await?;
    let origin = upstream.origin();

    let said = author.fails(&["--record"], &[("UPSTREAM", &origin)]).await?;
    assert!(said.contains("config.hostile.token: the environment variable TOKEN is not set"), "{said}");
    assert_eq!(upstream.requests(), [], "nothing was sent");
    let env = [("UPSTREAM", origin.as_str()), ("TOKEN", CANARY)];
    let said = author.passes(&["--record", "--update"], &env).await?;
    assert!(said.contains("recorded 1 requests") && said.contains("wrote "), "{said}");
    let received = upstream.requests();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].authorization, Some(format!("Bearer {CANARY}")), "it was sent with the token");

    let (cassette, golden) = (author.read("hunt.cassette.yaml")?, author.read("hunt.golden.json")?);
    for text in [&cassette, &golden] {
        for secret in ["canary", "7f3a", "127.0.0.1"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("[masked]"), "the upstream repeated the token: {text}");
    }
    assert!(cassette.contains("url: https://upstream.example/echo"), "{cassette}");
    assert!(cassette.contains("credential: https://upstream.example\n"), "{cassette}");
    assert!(golden.contains("echo: 200"), "{golden}");

    // Nobody is there any more, and nobody has the token.
    drop(upstream);
    author.passes(&[], &[]).await?;
    let said = author.fails(&["--record"], &env).await?;
    assert!(said.contains("was not answered, so") && said.contains("was not written"), "{said}");
    assert_eq!(author.read("hunt.cassette.yaml")?, cassette);
    std::fs::remove_file(author.file("hunt.cassette.yaml"))?;
    let said = author.fails(&[], &[]).await?;
    assert!(said.contains("GET https://upstream.example/echo is not in") && said.contains("--record"), "{said}");
    Ok(())
}

/// Plays a case and takes what came of it as what is expected, which must then hold.
async fn comes_to(component: PathBuf, case: &str, expected: &Value) -> Result<()> {
    let author = Author::new(component)?;
    author.write("case.yaml", case)?;
    let said = author.fails(&[], &[]).await?;
    assert!(said.contains("case.golden.json is not there") && said.contains("--update"), "{said}");
    author.passes(&["--update"], &[]).await?;
    assert_eq!(author.golden("case")?, *expected);
    author.passes(&[], &[]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_and_what_they_keep() -> Result<()> {
    let case = r#"
user: user:default/ada
kv: { old: "1", gone: "2", same: "3" }
calls:
  - routes: { request: PUT /notes/old, body: new }
  - routes: { request: DELETE /notes/gone }
  - routes: { request: GET /notes/none }
  - routes: { request: "GET /echo/a%20b/c?x=1&x=2", headers: { Accept: text/plain, Cookie: c } }
"#;
    let echo = json!({
        "user": "user:default/ada",
        "name": "GET /echo/{first}/{second}",
        "path": ["echo", "a b", "c"],
        "params": [["first", "a b"], ["second", "c"]],
        "query": [["x", "1"], ["x", "2"]],
        "headers": [["accept", "text/plain"]],
        "body": null,
    });
    let expected = json!({
        "calls": [
            { "status": 201, "headers": {}, "body": "new" },
            { "status": 204, "headers": {}, "body": null },
            { "error": { "class": "guest-not-found", "message": "there is no note none" } },
            { "status": 200, "headers": {}, "body": echo },
        ],
        "kv": { "old": "new", "gone": null },
    });
    comes_to(environment::guest("good_routes")?, case, &expected).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_and_its_workspace() -> Result<()> {
    let case = r#"
workspace: { src/0.txt: before, kept: k }
secrets: { TOKEN: { value: not-a-secret, origin: https://example.com } }
calls:
  - scaffolder-actions: { action: "good:project", input: { name: lamp, files: 1 }, dryRun: true, attempt: 2 }
"#;
    let author = Author::new(environment::guest("good_actions")?)?;
    author.write("project.yaml", case)?;
    author.passes(&["--update"], &[]).await?;
    let golden = author.golden("project")?;
    let written = json!({
        "README.md": "# lamp\n", "src/0.txt": "lamp", "kept": "k", "bin/run": "#!/bin/sh\n", "bin/again": "#!/bin/sh\n",
    });
    assert_eq!(golden["workspace"], written);
    let info = &golden["calls"][0]["output"]["info"];
    assert_eq!((&info["attempt"], &info["dry"]), (&json!(2), &json!(true)), "{info}");
    assert_eq!(info["secrets"], json!([["TOKEN", "secret:1"]]), "{info}");
    author.write("project.yaml", &case.replace("name: lamp", "name: LAMP"))?;
    let said = author.fails(&[], &[]).await?;
    assert!(said.contains("calls[0]: ") && said.contains("Invalid input passed to action good:project"), "{said}");
    author.write("project.yaml", &case.replace("src/0.txt", "../out"))?;
    let said = author.fails(&[], &[]).await?;
    assert!(said.contains("../out is not a path inside of it"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_the_catalog() -> Result<()> {
    let case = r#"
catalog:
  - { apiVersion: backstage.io/v1alpha1, kind: Component, metadata: { name: lamp },
      spec: { type: service, lifecycle: production, owner: user:guest } }
calls:
  - event-subscriber:
      events:
        - topic: catalog.entity
          payload: { change: added, entityRef: "component:default/lamp", uid: u }
        - { topic: hook, payload: { word: later } }
        - { topic: hook, payload: { word: here }, deliveryId: mine, headers: { x-github-event: push } }
"#;
    let expected = json!({
        "calls": [["ok", { "retry": { "reason": "attempt 1" } }, "ok"]],
        "kv": { "entity component:default/lamp": "Added u false 1\n", "webhook mine": "hook here x-github-event=push\n" },
    });
    comes_to(environment::guest("good_subscriber")?, case, &expected).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_entities() -> Result<()> {
    let case = r#"
config: { greeting: Hello }
calls:
  - entity-processor:
      processor: greeting
      hook: pre-process
      entities: [ &lamp { apiVersion: backstage.io/v1alpha1, kind: Component, metadata: { name: lamp }, spec: {} } ]
  - entity-processor: { processor: visits, hook: post-process, entities: [ *lamp, *lamp ] }
"#;
    let lamp = |annotation: &str, value: &str| {
        json!({
            "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
            "metadata": { "name": "lamp", "annotations": { annotation: value } }, "spec": {},
        })
    };
    // Who asks somebody, and does not say for how long the result holds, is asked again after an hour.
    let visits =
        ["1", "2"].map(|count| json!({ "entity": lamp("example.com/visits", count), "freshForMs": 3_600_000 }));
    let expected = json!({
        "calls": [[{ "entity": lamp("example.com/greeting", "Hello, lamp") }], visits],
        "kv": { "component:default/lamp": "2" },
    });
    comes_to(environment::guest("good_processor")?, case, &expected).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_no_answer() -> Result<()> {
    let author = Author::new(environment::guest("panic")?)?;
    author.write("case.yaml", "calls:\n  - ui: { extension: attack }\n")?;
    let said = author.fails(&["--update"], &[]).await?;
    assert!(said.contains("calls[0]: plugin `panic`, ui.render: it gave up: "), "{said}");
    assert!(!author.file("case.golden.json").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_measured() -> Result<()> {
    let author = Author::new(environment::guest("good_routes")?)?;
    author.write("note.yaml", "kv: { a: b }\ncalls:\n  - routes: { request: GET /notes/a }\n")?;
    let folder = author.folder.path().display().to_string();
    let run = async |more: &[&str]| -> Result<(bool, String)> {
        let arguments = [&["bench", &folder, "--seconds", "1"], more].concat();
        let output = plugin(&arguments, &author.component)?.output().await?;
        Ok((output.status.success(), String::from_utf8(output.stdout)?))
    };
    let (measured, json) = run(&["--json"]).await?;
    let found: Value = serde_json::from_str(&json)?;
    assert!(measured && found["plugin"] == "good-routes", "{json}");
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    for name in ["componentBytes", "compileMs", "loadMs"] {
        assert!(number(&found[name]) > 0.0, "{name}: {json}");
    }
    assert!(number(&found["compileMs"]) > number(&found["loadMs"]), "compiled once: {json}");
    let case = &found["cases"][0];
    assert!(number(&case["calls"]) >= 10.0 && number(&case["peakMemoryBytes"]) > 0.0, "{json}");
    let [p50, p95, p99] = ["p50Ms", "p95Ms", "p99Ms"].map(|name| number(&case[name]));
    assert!(0.0 < p50 && p50 <= p95 && p95 <= p99, "{json}");
    let (measured, table) = run(&[]).await?;
    assert!(measured && table.contains("PEAK MEMORY") && table.contains("\nnote "), "{table}");
    Ok(())
}
