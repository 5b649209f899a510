//! What every plugin may rely on, in whatever language it is written: the same suite for a component that was made with
//! the SDK and for one that was written by hand against the files in `wit/`.
//!
//! Either renders "<user> keeps <what it kept>" and logs a line with it; an action's name is kept, or one of a single digit
//! answered with the error of that number, in the order of WIT.

use callboard_host::{ErrorKind, GuestError, Plugin, PluginSpec};
use callboard_model::rights::Rights;
use callboard_model::ui::{Input, Node};

use crate::fixture::{Fixture, acting, guest};

const EXTENSION: &str = "attack";

#[tokio::test(flavor = "multi_thread")]
async fn with_the_sdk() {
    suite(|| guest("by_sdk").spec()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_hand() {
    suite(|| guest("by_hand").spec()).await;
}

async fn suite(spec: impl Fn() -> PluginSpec) {
    let fixture = Fixture::new().await;
    let plugin = fixture.host.load(spec()).await.unwrap();
    assert_eq!(plugin.extension_points(), ["ui"]);
    who_asks(&plugin).await;
    what_is_kept(&plugin).await;
    errors(&plugin).await;
    let words = fixture.host.statistics(plugin.id()).unwrap().words();
    assert!(words.lines.iter().any(|line| line.text == "rendered"), "{words:?}");
    many_at_once(&plugin).await;
    rights(&fixture, &spec).await;
}

async fn shown(plugin: &Plugin, user: Option<&str>) -> String {
    match plugin.render(&acting(user), EXTENSION, &Input::default()).await.unwrap().root {
        Node::Text(paragraph) => paragraph.text.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Texts cross as they are, of any length and script.
async fn who_asks(plugin: &Plugin) {
    assert_eq!(shown(plugin, None).await, "nobody keeps nothing");
    let long = "user:default/".to_owned() + &"a".repeat(5_000);
    for user in ["user:default/ada", "user:default/\u{00e4}d\u{00e4}", "user:default/\u{1f469}\u{200d}\u{1f680}", &long]
    {
        assert_eq!(shown(plugin, Some(user)).await, format!("{user} keeps nothing"));
    }
}

/// Each call is an instance of its own; what `kv` has outlasts it.
async fn what_is_kept(plugin: &Plugin) {
    for word in ["two words", "zw\u{00f6}lf", &"x".repeat(500)] {
        let outcome = plugin.act(&acting(None), EXTENSION, word, &Input::default()).await.unwrap();
        assert_eq!((outcome.message.as_str(), outcome.refresh), ("kept", true));
        assert_eq!(shown(plugin, None).await, format!("nobody keeps {word}"));
    }
}

/// Every case of the variant arrives as what it is, and none of them is a fault.
async fn errors(plugin: &Plugin) {
    let classes = [
        GuestError::Denied,
        GuestError::Invalid,
        GuestError::NotFound,
        GuestError::Unavailable,
        GuestError::Throttled,
        GuestError::TooLarge,
        GuestError::Other { code: "E-17".to_owned() },
    ];
    for (number, class) in classes.into_iter().enumerate() {
        let error = plugin.act(&acting(None), EXTENSION, &number.to_string(), &Input::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Guest(class), "{error}");
        assert!(error.message.contains("as you wish"), "{error}");
    }
    assert_eq!(plugin.suspension(), None);
}

async fn many_at_once(plugin: &Plugin) {
    let users: Vec<String> = (0..50).map(|number| format!("user:default/{number}")).collect();
    let kept = shown(plugin, None).await.replace("nobody keeps", "");
    let all = users.iter().map(|user| shown(plugin, Some(user)));
    for (text, user) in futures::future::join_all(all).await.into_iter().zip(&users) {
        assert_eq!(text, format!("{user} keeps{kept}"));
    }
}

/// What it needs and is not granted keeps it from being loaded, with the line that would help.
async fn rights(fixture: &Fixture, spec: &impl Fn() -> PluginSpec) {
    let refusal = fixture.refused(PluginSpec { grant: Rights::default(), ..spec() }).await;
    assert!(refusal.contains("log: true"), "{refusal}");
}
