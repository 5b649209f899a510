//! The binary as it is used: arguments, answers, exit codes.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "the helpers of a test stop at the first surprise"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn callboard(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
    command.args(arguments).current_dir(root()).env_remove("BACKSTAGE_ENV");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The exit code is the expected one and the answer holds every part, in this order.
fn check(output: &Output, success: bool, parts: &[&str]) {
    let answer = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.success(), success, "{answer}");
    let mut rest = answer.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} (in this place) in:\n{answer}"));
        rest = &rest[at + part.len()..];
    }
}

fn validate(files: &[(&str, &str)]) -> Output {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("a file");
    }
    let named = files.iter().map(|(name, _)| *name).filter(|name| name.ends_with(".yaml"));
    let arguments: Vec<&str> = ["entity", "validate"].into_iter().chain(named).collect();
    callboard(&arguments).current_dir(dir.path()).output().expect("an answer")
}

#[test]
fn the_examples_are_valid() {
    let mut files = Vec::new();
    for folder in ["examples/org", "examples/org/shipping", "examples/bucket", "examples/bucket/partners"] {
        for entry in std::fs::read_dir(root().join(folder)).expect(folder) {
            let path = entry.expect("an entry").path();
            if path.is_file() && path.extension().is_none_or(|extension| extension == "yaml") {
                files.push(path.display().to_string());
            }
        }
    }
    let arguments: Vec<&str> = ["entity", "validate"].into_iter().chain(files.iter().map(String::as_str)).collect();
    check(&callboard(&arguments).output().expect("an answer"), true, &["45 entities in 9 files: all valid"]);
}

#[test]
fn what_is_wrong_with_a_descriptor_file() {
    let component = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: a\n";
    check(
        &validate(&[(
            "a.yaml",
            &format!("{component}spec:\n  type: service\n  lifecycle: production\n  owner: team-a\n"),
        )]),
        true,
        &["1 entity in 1 file: all valid"],
    );
    check(
        &validate(&[
            (
                "a.yaml",
                &format!(
                    "{component}spec: {{type: service, lifecycle: production, owner: x}}\n---\n{component}  tags:\n    - Not Good\nspec: {{type: service, lifecycle: production, owner: x}}\n"
                ),
            ),
            ("b.yaml", &format!("{component}spec:\n  type: service\n  owner: x\n")),
        ]),
        false,
        &[
            "a.yaml:",
            "document 2: component:default/a: \"tags.0\" is not valid",
            "expected a string that is sequences of",
            "found    \"Not Good\"",
            "b.yaml:",
            "document 1: component:default/a: /spec must have required property 'lifecycle'",
            "field    /spec",
            "3 entities in 2 files: 2 problems",
        ],
    );
    check(
        &validate(&[(
            "a.yaml",
            &format!("{component}spec: {{type: a, lifecycle: b, owner: c, dependsOn: [no-kind]}}\n"),
        )]),
        false,
        &["a.yaml:", "no-kind", "1 entity in 1 file: 1 problem"],
    );
    check(
        &validate(&[("a.yaml", "kind: Component\n")]),
        false,
        &["a.yaml:1: document 1: Malformed envelope", "1 problem"],
    );
    check(&validate(&[("a.yaml", "a: [\n")]), false, &["a.yaml:", "1 problem"]);
    check(
        &callboard(&["entity", "validate", "no-such.yaml"]).output().expect("an answer"),
        false,
        &["no-such.yaml: cannot be read", "0 entities in 1 file: 1 problem"],
    );
    let api = "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: a}\nspec: {type: openapi, lifecycle: production, owner: x, definition: {$text: ./a.txt}}\n";
    check(&validate(&[("a.yaml", api), ("a.txt", "openapi: 3.0.3")]), true, &["all valid"]);
    check(
        &validate(&[("a.yaml", api)]),
        false,
        &["api:default/a: Placeholder $text could not read ./a.txt", "1 problem"],
    );
}

#[test]
fn standard_input_is_a_file() {
    let mut child = callboard(&["entity", "validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    child.stdin.take().expect("a pipe").write_all(b"kind: Component\n").expect("written");
    check(&child.wait_with_output().expect("an answer"), false, &["standard input:1: document 1: Malformed envelope"]);
}

#[test]
fn config_check() {
    let check_config = |arguments: &[&str], success: bool, parts: &[&str]| {
        let arguments: Vec<&str> = ["config", "check"].into_iter().chain(arguments.iter().copied()).collect();
        check(&callboard(&arguments).output().expect("an answer"), success, parts);
    };
    check_config(&["--config", "app-config.yaml", "--strict"], true, &["The portal starts with this configuration."]);
    let stock = "crates/server/tests/config/stock/app-config.yaml";
    check_config(&["--config", stock], true, &["backend.cors: would", "The portal starts"]);
    check_config(&["--config", stock, "--strict"], false, &["backend.cors: would", "The portal does not start"]);
    check_config(&["--config", "no-such.yaml"], false, &["there is no such file", "name it with --config FILE"]);
    check_config(&["--config", "https://x.example/app-config.yaml"], false, &["cannot be read from a URL"]);
}

#[test]
fn a_file_that_is_no_plugin() {
    let output = callboard(&["plugin", "inspect", "Cargo.toml"]).output().expect("an answer");
    check(&output, false, &["callboard: Cargo.toml: "]);
    check(&callboard(&["plugin", "inspect", "no-such.wasm"]).output().expect("an answer"), false, &["no-such.wasm: "]);
}

#[test]
fn serve_says_where_and_ends_when_asked() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("app-config.yaml");
    std::fs::write(&file, "app: {title: Test}\nbackend: {cors: {}}\n").expect("a file");
    let mut child = callboard(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--config"])
        .arg(&file)
        .arg("--data-dir")
        .arg(dir.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let port: u16 =
        line.trim().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
    assert!(line.starts_with("Callboard ") && port > 0, "{line}");
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(asked.success());
    let output = child.wait_with_output().expect("an end");
    let log = text(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "not JSON: {log}");
    assert!(log.contains("backend.cors: would let pages"), "{log}");
}

#[test]
fn serve_refuses_a_configuration_with_errors() {
    let file = "crates/server/tests/config/mistakes/app-config.yaml";
    let output = callboard(&["serve", "--config", file]).env("SECRET", "canary").output().expect("an answer");
    check(&output, false, &["the configuration is not accepted", "plugins.s3.grnt: unknown key"]);
    assert!(!text(&output.stderr).contains("canary"));
}

/// A portal in a process of its own, with a push source, until it is dropped.
struct Serving {
    child: std::process::Child,
    url: String,
    dir: tempfile::TempDir,
}

const TOKEN: &str = "canary-0123456789abcdef";

impl Serving {
    fn start() -> Serving {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("app-config.yaml");
        let config = format!(
            "backend: {{database: {{client: better-sqlite3, connection: ':memory:'}}}}\ncatalog: {{push: {{ci: {{token: \
             {TOKEN}}}}}}}\n"
        );
        std::fs::write(&file, config).expect("a file");
        let mut child = callboard(&["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .arg("--data-dir")
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let url = line.trim().rsplit_once(' ').unwrap_or_else(|| panic!("{line}")).1.to_owned();
        Serving { child, url, dir }
    }

    fn push(&self, token: &str, arguments: &[&str]) -> Output {
        let mut all = vec!["entity", "push", "--source", "ci", "--url", &self.url];
        all.extend(arguments);
        let output = callboard(&all).current_dir(self.dir.path()).env("CALLBOARD_PUSH_TOKEN", token).output();
        let output = output.expect("an answer");
        assert!(!text(&output.stdout).contains("canary") && !text(&output.stderr).contains("canary"), "{output:?}");
        output
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.dir.path().join(name), content).expect("a file");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn entities_are_pushed() {
    let portal = Serving::start();
    let component = |name: &str, owner: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec: {{type: service, lifecycle: \
             production, owner: {owner}, text: {{$text: ./note.md}}}}\n"
        )
    };
    portal.write("note.md", "a note");
    portal.write("all.yaml", &format!("{}---\n{}---\n", component("a", "x"), component("b", "x")));
    check(
        &portal.push(TOKEN, &["all.yaml"]),
        true,
        &["2 entities: 2 added, 0 changed, 0 unchanged, 0 removed, 0 failed"],
    );
    check(&portal.push(TOKEN, &["--full", "all.yaml"]), true, &["2 entities: 0 added, 0 changed, 2 unchanged"]);
    portal.write("bad.yaml", &component("c", "[5]"));
    let bad = portal.push(TOKEN, &["--key", "repository", "bad.yaml"]);
    check(&bad, false, &["component:default/c: InputError: ", "owner", "1 entity: 1 added", "1 failed"]);
    let removed = portal.push(TOKEN, &["--remove", "component:default/a", "--remove", "component:default/c"]);
    check(&removed, true, &["0 entities: 0 added, 0 changed, 0 unchanged, 2 removed, 0 failed"]);
    portal.write(
        "user.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: u}\nspec: {memberOf: []}\n",
    );
    check(&portal.push(TOKEN, &["user.yaml"]), false, &["403", "NotAllowedError", "not of an allowed kind"]);
    check(
        &portal.push("canary-of-somebody-else", &["all.yaml"]),
        false,
        &["401", "AuthenticationError: Illegal token"],
    );
    check(&portal.push("", &["all.yaml"]), false, &["CALLBOARD_PUSH_TOKEN", "has no token"]);
    // Nothing is sent unless everything can be.
    portal.write("broken.yaml", "a: [");
    let broken = portal.push(TOKEN, &["all.yaml", "broken.yaml", "none.yaml"]);
    check(&broken, false, &["broken.yaml:", "none.yaml: cannot be read", "Nothing was sent: 2 problems"]);
    portal.write("lost.yaml", &component("d", "x").replace("note.md", "none.md"));
    check(&portal.push(TOKEN, &["lost.yaml"]), false, &["lost.yaml:1: document 1: ", "could not read ./none.md"]);
    portal.write("token", &format!("{TOKEN}\n"));
    check(&portal.push("", &["--token-file", "token", "all.yaml"]), true, &["1 added, 0 changed, 1 unchanged"]);
    let nobody = callboard(&["entity", "push", "--source", "ci", "--url", "http://127.0.0.1:1", "all.yaml"])
        .current_dir(portal.dir.path())
        .env("CALLBOARD_PUSH_TOKEN", TOKEN)
        .output();
    check(&nobody.expect("an answer"), false, &["http://127.0.0.1:1/api/catalog/push/ci: "]);
}

#[test]
fn the_policy_is_checked_and_explained() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file");
    let run = |arguments: &[&str]| callboard(arguments).current_dir(dir.path()).output().expect("an answer");
    write(
        "app-config.yaml",
        "permission:\n  roles: { admin: [user:default/root], sre: [group:default/sre] }\n  policy:\n    - name: sre runs\n      \
         allow: [plugin.run]\n      to: [role:sre]\n    - allow: [catalog.entity.*]\n      to: [signed-in]\n      \
         where: { relations.ownedBy: $me }\n    - { allow: [catalog.entity.read], to: ['plugin:s3'] }\nplugins: { s3: { source: s3.wasm } }\n",
    );
    check(
        &run(&["policy", "check"]),
        true,
        &[
            "role admin: user:default/root",
            "role sre: group:default/sre",
            "permission.roles.admin\n  gives *\n  to role:admin",
            "sre runs (app-config.yaml:4)\n  gives plugin.run\n  to role:sre",
            "permission.policy[1]",
            "for entities with {\"relations.ownedby\":\"$me\"}",
            "gives catalog.entity.read\n  to plugin:s3",
        ],
    );
    let wrong = [
        ("to: [role:ser]", "did you mean `role:sre`"),
        ("to: [everyone]", "write `anyone`"),
        ("to: ['plugin:s4']", "did you mean `plugin:s3`"),
        ("to: ['plugin:kubernetes']", "`plugins` has s3"),
        ("to: ['plugin:']", "`plugins` has s3"),
        ("to: [component:default/x]", "only refs of users and groups"),
        ("to: [signed-in], where: { kind: $mine }", "`$mine`, which stands for nothing"),
    ];
    for (part, expected) in wrong {
        let policy = format!(
            "permission:\n  roles: {{ sre: [group:default/sre] }}\n  policy:\n    - {{ allow: [plugin.run], {part} }}\n\
             plugins: {{ s3: {{ source: s3.wasm }} }}\n"
        );
        write("app-config.yaml", &policy);
        let output = run(&["policy", "check"]);
        let answer = text(&output.stdout);
        assert!(!output.status.success() && answer.to_lowercase().contains(expected), "{part}: {answer}");
        assert!(answer.contains("app-config.yaml:4: permission.policy[0]"), "{answer}");
    }
    write("app-config.yaml", "permission: { roles: { admin: [user:default/root] } }\n");
    let nothing = run(&["policy", "explain", "ada", "plugin.run"]);
    check(&nothing, false, &["there is no database", "--data-dir"]);

    // A plugin is in no catalog, so nothing has to be there but the database.
    let policy = "permission: { policy: [{ name: s3 reads, allow: [catalog.entity.read], to: ['plugin:s3'] }, { allow: ['*'], to: [anyone] }] }\n\
                  plugins: { s3: { source: s3.wasm } }\n";
    write("app-config.yaml", policy);
    let data = dir.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let file = callboard_store::DatabaseConfig::File(data.join("callboard.sqlite"));
        callboard_store::Db::open(&file).await.expect("a database").close().await;
    });
    let explain = |who: &str, permission: &str| {
        run(&["policy", "explain", who, permission, "--data-dir", &data.display().to_string()])
    };
    let reads = "plugin:s3 may use catalog.entity.read.\n  rule s3 reads (app-config.yaml:1): gives it";
    check(&explain("plugin:s3", "catalog.entity.read"), true, &[reads]);
    let writes = "plugin:s3 may not use catalog.entity.delete.";
    check(&explain("plugin:s3", "catalog.entity.delete"), false, &[writes]);
    check(&explain("plugin:s4", "catalog.entity.read"), false, &["plugin:s4 may not use", "is for others"]);
}

#[test]
fn the_audit_log_is_checked_and_exported() {
    use callboard::audit::{AuditLog, Entry};
    use callboard_store::{DatabaseConfig, Db, args, query};

    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let (file, config) = (data.join("callboard.sqlite"), dir.path().join("app-config.yaml"));
    std::fs::write(&config, "app: {title: Test}\n").expect("a file");
    let audit = |arguments: &[&str]| {
        let mut command = callboard(&["audit"]);
        command.args(arguments).arg("--config").arg(&config).arg("--data-dir").arg(&data);
        command.output().expect("an answer")
    };
    check(&audit(&["verify"]), false, &["callboard.sqlite: there is no database", "--data-dir"]);
    assert!(!file.exists(), "to look is not to change");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let in_database = |work: fn(Db) -> futures::future::BoxFuture<'static, ()>| {
        runtime.block_on(async {
            let db = Db::open(&DatabaseConfig::File(file.clone())).await.expect("a database");
            work(db.clone()).await;
            db.close().await;
        });
    };
    std::fs::create_dir(&data).expect("a folder");
    in_database(|_| Box::pin(async {}));
    check(&audit(&["verify"]), false, &["there is no audit log in this database"]);
    check(&audit(&["export"]), false, &["there is no audit log in this database"]);
    in_database(|db| {
        Box::pin(async {
            let log = AuditLog::open(db).await.expect("a log");
            for actor in ["user:default/ada", "user:default/bob"] {
                let entry = Entry {
                    actor: actor.to_owned(),
                    credential: "session".to_owned(),
                    permission: "catalog.entity.delete".to_owned(),
                    method: "DELETE".to_owned(),
                    path: "/api/catalog/entities/by-uid/x".to_owned(),
                    resource: None,
                    remote: None,
                    rule: "default".to_owned(),
                    request_id: "00ff".to_owned(),
                };
                log.allowed(entry).await.expect("a row").ended(204);
            }
        })
    });
    let whole = audit(&["verify"]);
    check(&whole, true, &["The audit log is whole, from its first row to its newest, 2:"]);
    let answer = text(&whole.stdout);
    let head = answer.trim().trim_end_matches('.').rsplit_once(' ').expect("a head").1;
    check(&audit(&["verify", "--expect", head]), true, &["The audit log is whole"]);
    let export = text(&audit(&["export"]).stdout);
    assert_eq!(export.lines().count(), 2, "{export}");
    let entry: serde_json::Value = serde_json::from_str(export.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&entry["seq"], &entry["actor"]), (&serde_json::json!(1), &serde_json::json!("user:default/ada")));
    let other = dir.path().join("audit.ndjson");
    let to_file = audit(&["export", "--output", &other.display().to_string()]);
    check(&to_file, true, &["Exported 2 rows of the audit log to ", "audit.ndjson."]);
    assert_eq!(std::fs::read_to_string(&other).expect("a file"), export);
    check(&audit(&["export", "--output", "/"]), false, &["callboard: /: "]);

    let longer = head.replacen('2', "9", 1);
    let cut_off = ["The audit log is broken: rows 3 to 9 are missing: the end of the log was cut off."];
    check(&audit(&["verify", "--expect", &longer]), false, &cut_off);
    let other = format!("1:{}", "0".repeat(64));
    check(&audit(&["verify", "--expect", &other]), false, &["row 1 has another hash than expected"]);
    check(&audit(&["verify", "--expect", "2"]), false, &["--expect", "write SEQ:HASH"]);
    in_database(|db| {
        Box::pin(async move {
            let sql = query("UPDATE audit SET actor = 'user:default/eve' WHERE seq = 1", args![]);
            db.execute(sql).await.expect("a change");
        })
    });
    let broken = audit(&["verify"]);
    check(&broken, false, &["The audit log is broken: row 1 was changed: its content does not fit its hash."]);
    assert_eq!(broken.status.code(), Some(1));

    std::fs::write(&config, "backend: {database: {client: better-sqlite3, connection: ':memory:'}}\n").expect("a file");
    check(&audit(&["verify"]), false, &["keeps everything in memory"]);
}

/// A plugin that imports one function of `callboard:host/kv`, of version 0.1.0.
const PLUGIN: &str = r#"(component
  (import "callboard:host/kv@0.1.0" (instance (export "delete-all" (func)))))"#;

#[test]
fn what_an_upgrade_would_not_load() {
    let dir = tempfile::tempdir().expect("a folder");
    let own = callboard(&["upgrade", "interfaces"]).output().expect("an answer");
    assert_eq!(text(&own.stdout), std::fs::read_to_string(root().join("wit/interfaces.json")).expect("wit/"));
    let mut newer: serde_json::Value = serde_json::from_slice(&own.stdout).expect("JSON");
    newer["imports"]["callboard:host/kv"]["delete-all"] = "func()".into();
    std::fs::write(dir.path().join("own.json"), &own.stdout).expect("a file");
    std::fs::write(dir.path().join("interfaces.json"), newer.to_string()).expect("a file");
    let mut wasm = wat::parse_str(PLUGIN).expect("a component");
    let manifest =
        "format: 1\nid: a\nname: A\nversion: 1.2.3\nneeds: { host: ^0.1, plugin: ^0.1 }\nrights: { kv: true }\n";
    let section = [b"\x12callboard:manifest", manifest.as_bytes()].concat();
    wasm.extend([0, u8::try_from(section.len() & 0x7f).expect("seven bits") | 0x80]);
    wasm.push(u8::try_from(section.len() >> 7).expect("not more"));
    wasm.extend(section);
    std::fs::write(dir.path().join("a.wasm"), wasm).expect("a file");
    std::fs::write(dir.path().join("app-config.yaml"), "plugins: { a: { source: a.wasm, grant: { kv: true } } }\n")
        .expect("a file");
    let ask =
        |wit: &str| callboard(&["upgrade", "check", "--wit", wit]).current_dir(dir.path()).output().expect("an answer");
    check(&ask("own.json"), false, &["a would not load: it uses `delete-all` of callboard:host/kv@0.1.0", "1 of 1"]);
    // The folder, as a release has it.
    check(&ask("."), true, &["a 1.2.3 would load", "Every plugin would load."]);
    check(&ask("app-config.yaml"), false, &["app-config.yaml: this is not the wit/interfaces.json of a portal"]);
}
