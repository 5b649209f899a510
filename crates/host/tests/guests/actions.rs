//! Scaffolder actions: what a run is given, what of it stays inside, and how it ends.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_egress::{Credential, Secret};
use callboard_host::{
    Acting, ActionRun, ErrorKind, GuestError, LimitOverrides, Plugin, PluginError, TaskLog, TaskSecret, Workspace,
};
use callboard_model::api::LogLevel;
use callboard_model::api::PluginState;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::fixture::{Fixture, Unread, Upstream, attack, nobody, spec};

/// The log of a task.
#[derive(Default)]
struct Lines {
    lines: Mutex<Vec<(LogLevel, String)>>,
    written: Notify,
}

impl TaskLog for Lines {
    fn line(&self, level: LogLevel, text: &str) {
        self.lines.lock().unwrap().push((level, text.to_owned()));
        self.written.notify_one();
    }
}

impl Lines {
    fn taken(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

/// A task with a folder, beside which there is something that is nobody's business.
struct Task {
    root: TempDir,
    lines: Arc<Lines>,
    secrets: Vec<TaskSecret>,
    is_dry_run: bool,
    deadline: Duration,
}

impl Task {
    fn new() -> Task {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("inside")).unwrap();
        std::fs::write(root.path().join("secret"), "canary").unwrap();
        std::fs::write(root.path().join("inside/own"), "own").unwrap();
        let deadline = Duration::from_secs(60);
        Task { root, lines: Arc::default(), secrets: Vec::new(), is_dry_run: false, deadline }
    }

    fn inside(&self) -> std::path::PathBuf {
        self.root.path().join("inside")
    }

    fn run(&self) -> ActionRun {
        ActionRun {
            task_id: "task-1".to_owned(),
            step_id: "step-2".to_owned(),
            attempt: 3,
            is_dry_run: self.is_dry_run,
            secrets: self.secrets.clone(),
            workspace: Arc::new(Workspace::open(&self.inside()).unwrap()),
            log: self.lines.clone(),
            deadline: self.deadline,
        }
    }

    async fn with(&self, plugin: &Plugin, action: &str, input: Value) -> Result<Value, PluginError> {
        plugin.run_action(&nobody(), action, &input, self.run()).await
    }

    /// What a hostile guest saw.
    async fn attack(&self, plugin: &Plugin, attack: &str, path: &str) -> Result<Vec<String>, PluginError> {
        let output = self.with(plugin, "hostile:attack", json!({ "attack": attack, "path": path })).await?;
        Ok(serde_json::from_value(output["seen"].clone()).unwrap())
    }
}

async fn hostile() -> Plugin {
    let mut spec = spec("hostile_actions", json!({}));
    spec.limits = LimitOverrides {
        faults_before_suspension: Some(1_000),
        workspace_bytes: Some(64 << 20),
        workspace_file_bytes: Some(16 << 20),
        workspace_entries: Some(500),
        ..LimitOverrides::default()
    };
    Fixture::new().await.host.load(spec).await.unwrap_or_else(|error| panic!("{error}"))
}

fn everything_below(folder: &Path) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_writes_logs_and_answers() {
    let plugin = Fixture::new().await.load("good_actions").await;
    assert_eq!(plugin.extension_points(), ["scaffolder-actions"]);
    let ids: Vec<&str> = plugin.actions().map(|action| action.id.as_str()).collect();
    assert_eq!(ids, ["good:project", "good:ask", "good:nothing"]);
    let task = Task { is_dry_run: true, ..Task::new() };
    let acting = Acting { user: Some("user:default/ada".to_owned()), catalog: Arc::new(Unread) };
    let output =
        plugin.run_action(&acting, "good:project", &json!({ "name": "lamp", "files": 2 }), task.run()).await.unwrap();
    let paths = ["README.md", "bin", "bin/again", "bin/run", "own", "src", "src/0.txt", "src/1.txt"];
    assert_eq!(output["paths"], json!(paths));
    assert_eq!(
        output["info"],
        json!({
            "user": "user:default/ada", "time": 60_000, "task": "task-1", "step": "step-2", "attempt": 3, "dry": true,
            "secrets": [],
        })
    );
    assert_eq!(std::fs::read_to_string(task.inside().join("README.md")).unwrap(), "# lamp\n");
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(task.inside().join(path)).unwrap().permissions().mode() & 0o111
    };
    assert_eq!((mode("bin/again"), mode("bin/run"), mode("README.md")), (0o111, 0o111, 0));
    assert_eq!(
        task.lines.taken(),
        [
            (LogLevel::Info, "writing lamp".to_owned()),
            (LogLevel::Warn, "two lines \u{fffd}[31mand a colour".to_owned())
        ]
    );
    // Steps of one task follow each other in one folder.
    let again = task.with(&plugin, "good:project", json!({ "name": "lamp" })).await.unwrap_err();
    assert_eq!(again.kind, ErrorKind::Guest(GuestError::Invalid), "{again}");
    assert!(again.message.contains("`bin/run` is there already"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_never_arrives() {
    let plugin = Fixture::new().await.load("good_actions").await;
    let task = Task::new();
    for (input, part) in [
        (json!({}), "\"name\" is a required property"),
        (json!({ "name": "CANARY" }), "instance.name"),
        (json!({ "name": "lamp", "files": -1 }), "instance.files"),
        (json!({ "name": "lamp", "more": "CANARY" }), "instance"),
        (json!("CANARY"), "instance"),
    ] {
        let error = task.with(&plugin, "good:project", input).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input, "{error}");
        let message = &error.message;
        assert!(message.starts_with("Invalid input passed to action good:project, "), "{message}");
        assert!(message.contains(part) && !message.contains("CANARY"), "{message}");
    }
    let large = json!({ "path": "x".repeat(2 << 20) });
    assert_eq!(task.with(&plugin, "good:ask", large).await.unwrap_err().kind, ErrorKind::Input);
    assert_eq!(task.with(&plugin, "good:nothing", json!({ "a": 1 })).await.unwrap_err().kind, ErrorKind::Input);
    assert_eq!(task.with(&plugin, "good:nothing", json!({})).await, Ok(json!({})));
    assert_eq!(task.with(&plugin, "good:other", json!({})).await.unwrap_err().kind, ErrorKind::NotThere);
    let dry = Task { is_dry_run: true, ..Task::new() };
    let error = dry.with(&plugin, "good:nothing", json!({})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotThere);
    assert!(error.message.contains("good:nothing does not support dry-run"), "{error}");
    assert_eq!(everything_below(&task.inside()), ["own"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_that_is_not_granted() {
    let fixture = Fixture::new().await;
    let mut none = spec("good_actions", json!({}));
    none.grant.scaffolder_actions.actions.clear();
    let message = fixture.refused(none).await;
    let line = "In app-config, add below `plugins.good-actions.grant`:\n  \
                scaffolder-actions: { actions: [ good:project, good:ask, good:nothing ] }";
    assert!(message.contains(line), "{message}");
    let mut folderless = spec("good_actions", json!({}));
    folderless.grant.workspace = false;
    let message = fixture.refused(folderless).await;
    assert!(message.contains("add below `plugins.good-actions.grant`:\n  workspace: true"), "{message}");

    let mut some = spec("good_actions", json!({}));
    some.grant.scaffolder_actions.actions = vec!["good:nothing".to_owned(), "good:unheard-of".to_owned()];
    let plugin = fixture.host.load(some).await.unwrap();
    assert_eq!(plugin.actions().map(|action| action.id.as_str()).collect::<Vec<_>>(), ["good:nothing"]);
    let task = Task::new();
    task.with(&plugin, "good:nothing", json!({})).await.unwrap();
    let error = task.with(&plugin, "good:project", json!({ "name": "lamp" })).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotThere);
    assert!(error.message.contains("scaffolder-actions: { actions: [ good:project ] }"), "{error}");
    assert_eq!(everything_below(&task.inside()), ["own"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_a_handle_that_is_bound_to_its_origin() {
    let (upstream, other) = (Upstream::start().await, Upstream::start().await);
    let fixture = Fixture::new().await;
    let config = |upstream: &Upstream| json!({ "hostile": { "url": upstream.origin } });
    let plugin = fixture.load_with("good_actions", config(&upstream)).await;
    let token = Secret::new("canary-of-a-task");
    let bound = |upstream: &Upstream| Credential::bearer(&upstream.origin.parse().unwrap(), &token).unwrap();
    let secret = |credential| vec![TaskSecret { name: "TOKEN".to_owned(), credential }];
    let task = Task { secrets: secret(bound(&upstream)), ..Task::new() };
    let output = task.with(&plugin, "good:ask", json!({ "path": "/echo" })).await.unwrap();
    let body = output["body"].as_str().unwrap();
    assert!(body.to_lowercase().contains("authorization: ") && !body.contains("canary"), "{body}");
    let output = task.with(&plugin, "good:project", json!({ "name": "lamp" })).await.unwrap();
    assert_eq!(output["info"]["secrets"], json!([["TOKEN", "secret:1"]]));

    // It goes nowhere else, and a run without it has no handle that means anything.
    let elsewhere = Task { secrets: secret(bound(&other)), ..Task::new() };
    let error = elsewhere.with(&plugin, "good:ask", json!({ "path": "/echo" })).await;
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    let seen = error.as_ref().map_or_else(|_| String::new(), |output| output["body"].as_str().unwrap().to_lowercase());
    assert!(!seen.contains("authorization"), "{seen}");
    let without = Task::new().with(&plugin, "good:ask", json!({})).await.unwrap_err();
    assert_eq!(without.kind, ErrorKind::Guest(GuestError::NotFound), "{without}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out() {
    let plugin = hostile().await;
    let long = "x/".repeat(2_500);
    let name = "x".repeat(300);
    for path in [
        "../secret",
        "..",
        "../",
        "a/../../secret",
        "./../secret",
        "/etc/passwd",
        "/",
        "//etc",
        "link/secret",
        "link",
        "file",
        "..\\secret",
        "a\0b",
        "\0",
        "a\nb",
        &long,
        &name,
    ] {
        let task = Task::new();
        std::os::unix::fs::symlink(task.root.path(), task.inside().join("link")).unwrap();
        std::os::unix::fs::symlink(task.root.path().join("secret"), task.inside().join("file")).unwrap();
        let seen = task.attack(&plugin, "path", path).await.unwrap();
        // A link may be looked at, moved and removed, as a link.
        let is_link = matches!(path, "link" | "file");
        let harmless = |index: usize| is_link && matches!(index, 0 | 10 | 11);
        for (index, line) in seen.iter().enumerate() {
            assert!(line.starts_with("Err(") || harmless(index), "{path:?} {index}: {line}");
            let folder = task.root.path().to_str().unwrap();
            assert!(!line.contains("canary") && !line.contains(folder), "{path:?} {index}: {line}");
        }
        assert_eq!(everything_below(task.root.path()), ["inside", "secret"], "{path:?}");
        assert_eq!(std::fs::read_to_string(task.root.path().join("secret")).unwrap(), "canary");
        assert_eq!(std::fs::read_to_string(task.inside().join("own")).unwrap(), "own", "{path:?}");
    }
    // The same path means something where it stays inside.
    let seen = Task::new().attack(&plugin, "path", "here").await.unwrap();
    assert!(seen[3].starts_with("Ok("), "{seen:?}");
    assert_eq!(plugin.state(), PluginState::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_does_not_overflow() {
    let plugin = hostile().await;
    for (attack, times, words) in [
        ("many-files", 499, "at most 500 files and folders"),
        ("many-folders", 499, "at most 500 files and folders"),
        ("many-bytes", 15, "at most 67108864 bytes together"),
        ("one-large-file", 4, "it may have at most 16777216"),
        ("copies", 14, "at most 67108864 bytes together"),
        ("deeper", 1, "paths of more than 32 parts"),
    ] {
        let task = Task::new();
        let seen = task.attack(&plugin, attack, "").await.unwrap_or_else(|error| panic!("{attack}: {error}"));
        assert!(seen[1].starts_with("TooLarge(") && seen[1].contains(words), "{attack}: {seen:?}");
        assert_eq!(seen[0], times.to_string(), "{attack}");
    }
    let seen = Task::new().attack(&plugin, "much-at-once", "").await.unwrap();
    assert!(seen[0].contains("at most 4194304 go together"), "{seen:?}");
    for attack in ["too-much-at-once", "long-path"] {
        let error = Task::new().attack(&plugin, attack, "").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooMuchData, "{attack}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_output_is_a_fault() {
    let plugin = hostile().await;
    for (attack, kind, words) in [
        ("wrong-output", ErrorKind::Output, "does not fit its outputSchema, instance.seen"),
        ("more-output", ErrorKind::Output, "does not fit its outputSchema, instance"),
        ("no-object", ErrorKind::Output, "does not fit its outputSchema, instance"),
        ("large-output", ErrorKind::Output, "may have at most 1048576"),
        ("panic", ErrorKind::Trap, "the guest says no"),
        ("unheard-of", ErrorKind::Guest(GuestError::Other { code: "unheard-of".to_owned() }), ""),
    ] {
        let error = Task::new().attack(&plugin, attack, "").await.unwrap_err();
        assert_eq!(error.kind, kind, "{attack}: {error}");
        assert!(error.message.contains(words) && !error.message.contains("canary"), "{attack}: {error}");
        assert_eq!((error.extension_point, error.function), ("scaffolder-actions", "run"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_task_is_bounded() {
    let plugin = hostile().await;
    let task = Task::new();
    task.attack(&plugin, "log-flood", "").await.unwrap();
    let lines = task.lines.taken();
    assert_eq!(lines[0], (LogLevel::Info, "line 0".to_owned()));
    assert!(lines.iter().map(|(_, line)| line.len()).sum::<usize>() < 70 * 1024, "{}", lines.len());
    assert!(lines.iter().any(|(level, line)| *level == LogLevel::Warn && line.contains("dropped")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_ends_at_its_own_deadline() {
    let plugin = hostile().await;
    let short = Task { deadline: Duration::from_millis(300), ..Task::new() };
    for attack in ["loop-forever", "write-forever"] {
        let error = short.attack(&plugin, attack, "").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Deadline, "{error}");
        assert!(error.message.contains("within 300ms"), "{error}");
    }
    let longest = Task { deadline: Duration::MAX, ..Task::new() };
    assert!(longest.attack(&plugin, "path", "here").await.is_ok(), "a deadline beyond all bounds is cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_step_is_over() {
    let mut spec = spec("hostile_actions", json!({}));
    spec.limits = LimitOverrides { concurrent_calls: Some(1), ..LimitOverrides::default() };
    let plugin = Fixture::new().await.host.load(spec).await.unwrap();
    let task = Task::new();
    {
        let running = task.attack(&plugin, "write-forever", "");
        tokio::pin!(running);
        tokio::select! {
            ended = &mut running => panic!("{ended:?}"),
            () = task.lines.written.notified() => {}
        }
    }
    task.lines.taken();
    // Its turn is free again, and nothing more is written: neither to the log nor to the folder.
    let other = Task::new();
    assert!(other.attack(&plugin, "path", "here").await.is_ok());
    assert_eq!(task.lines.taken(), []);
    assert_eq!(plugin.state(), PluginState::Running, "nobody is to blame");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_call_has_a_workspace() {
    let plugin = hostile().await;
    let seen = attack(&plugin).await.unwrap();
    assert_eq!(seen.lines().count(), 12);
    for line in seen.lines() {
        assert!(line.starts_with("Err(Denied(\"this call has no workspace"), "{line}");
    }
}
