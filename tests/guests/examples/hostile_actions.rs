//! Tries to leave the workspace, to fill it, to use it where there is none, and to answer with what it may not.

use callboard_sdk::bindings::host::workspace as raw;
use callboard_sdk::scaffolder_actions::Run;
use callboard_sdk::ui::{Input, Tree};
use callboard_sdk::{Context, Error, ScaffolderActions, Ui, log, workspace};
use serde_json::{Value, json};

struct Hostile;

impl ScaffolderActions for Hostile {
    #[expect(clippy::panic, reason = "that is the attack")]
    fn run(_: &Context, _: &str, input: &Value, _: &Run) -> Result<Value, Error> {
        let path = input["path"].as_str().unwrap_or_default();
        let seen = match input["attack"].as_str().unwrap_or_default() {
            "path" => everything(path),
            "many-files" => until_refused(|number| workspace::write(&format!("f{number}"), b"")),
            "many-folders" => until_refused(|number| workspace::create_folder(&format!("d{number}"))),
            "many-bytes" => until_refused(|number| workspace::write(&format!("b{number}"), &vec![1; 4 << 20])),
            "one-large-file" => {
                workspace::write("large", b"")?;
                until_refused(|_| workspace::append("large", &vec![1; 4 << 20]))
            }
            "copies" => {
                workspace::write("c", &vec![1; 4 << 20])?;
                until_refused(|number| workspace::copy("c", &format!("c{number}")))
            }
            "deeper" => until_refused(|number| {
                workspace::create_folder(&format!("n{}/{}", number + 1, vec!["x"; 30].join("/")))?;
                workspace::create_folder(&format!("n{number}"))?;
                workspace::rename(&format!("n{number}"), &format!("n{}/{}/n", number + 1, vec!["x"; 30].join("/")))
            }),
            "much-at-once" => vec![format!("{:?}", raw::write("m", &vec![1; 5 << 20]))],
            "too-much-at-once" => vec![format!("{:?}", raw::write("m", &vec![1; 40 << 20]))],
            "long-path" => vec![format!("{:?}", raw::write(&"x".repeat(20 << 20), b""))],
            "log-flood" => {
                (0..100_000).for_each(|number| log::info(&format!("line {number}")));
                Vec::new()
            }
            "wrong-output" => return Ok(json!({ "seen": 5 })),
            "more-output" => return Ok(json!({ "seen": [], "more": "canary" })),
            "no-object" => return Ok(json!("text")),
            "large-output" => vec!["x".repeat(2 << 20)],
            "panic" => panic!("the guest says no"),
            "loop-forever" => loop {
                std::hint::black_box(());
            },
            "write-forever" => loop {
                workspace::write("beat", b"x")?;
                workspace::remove("beat")?;
                log::info("beat");
            },
            other => return Err(Error::other("unheard-of", other)),
        };
        Ok(json!({ "seen": seen }))
    }
}

/// Where there is no workspace.
impl Ui for Hostile {
    fn render(_: &Context, _: &str, _: &Input) -> Result<Tree, Error> {
        Ok(Tree::of(everything("README.md").join("\n")))
    }
}

callboard_sdk::export!(manifest: "examples/hostile_actions.yaml", scaffolder_actions: Hostile, ui: Hostile);

/// All that can be tried with a path, and what came of each.
fn everything(path: &str) -> Vec<String> {
    vec![
        format!("{:?}", workspace::stat(path)),
        format!("{:?}", workspace::list(path, true, None)),
        format!("{:?}", workspace::read_part(path, 0, 100)),
        format!("{:?}", workspace::write(path, b"written")),
        format!("{:?}", workspace::append(path, b"appended")),
        format!("{:?}", workspace::create_folder(path)),
        format!("{:?}", workspace::set_executable(path, true)),
        format!("{:?}", workspace::copy(path, "copied")),
        format!("{:?}", workspace::copy("own", path)),
        format!("{:?}", workspace::rename("own", path)),
        format!("{:?}", workspace::rename(path, "renamed")),
        format!("{:?}", workspace::remove(path)),
    ]
}

/// How often it went well, and how it was refused.
fn until_refused(attempt: impl Fn(usize) -> Result<(), Error>) -> Vec<String> {
    for number in 0..1_000_000 {
        if let Err(error) = attempt(number) {
            return vec![number.to_string(), format!("{error:?}")];
        }
    }
    vec!["never refused".to_owned()]
}
