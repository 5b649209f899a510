//! What a manifest says of the events that its plugin is told of.

use std::collections::BTreeSet;

use callboard_model::events::{TOPICS, is_webhook_topic};
use callboard_model::manifest::{EventSubscriberContribution, Manifest, WebhookContribution, WebhookSignature};
use http::HeaderName;

use crate::extension::event_subscriber::webhook::signing_headers;
use crate::guest_config::credential::Marker;

/// What says who somebody is. No plugin is handed it, whichever service sends it along.
const NEVER_HANDED: [&str; 5] = ["authorization", "cookie", "proxy-authorization", "x-gitlab-token", "set-cookie"];

/// Headers of one webhook that a plugin is handed. Services send a dozen of their own.
const HEADERS: usize = 32;

/// The longest time for which a signature may hold: an hour is any clock and any queue.
const WINDOW_MOST: u32 = 3_600;

pub(super) fn check(manifest: &Manifest, contributed: &EventSubscriberContribution) -> Result<(), String> {
    let EventSubscriberContribution { topics, webhooks } = contributed;
    if topics.is_empty() && webhooks.is_empty() {
        return Err("it names neither `topics` nor `webhooks`, so the plugin would be told of nothing".to_owned());
    }
    let mut seen = BTreeSet::new();
    for topic in topics.iter().map(|one| &one.topic).chain(webhooks.iter().map(|one| &one.topic)) {
        if !seen.insert(topic) {
            return Err(format!("it names `{topic}` twice"));
        }
        if !manifest.rights.event_subscriber.topics.contains(topic) {
            return Err(format!(
                "it names `{topic}`, but `rights` does not ask for it; add `event-subscriber: {{ topics: [ {topic} ] }}` \
                 there"
            ));
        }
    }
    for topic in topics {
        if !TOPICS.contains(&topic.topic.as_str()) {
            return Err(format!(
                "the portal does not tell of `{}`; it tells of {}. What other services send belongs below `webhooks`",
                topic.topic,
                TOPICS.join(", ")
            ));
        }
        let readable = &manifest.rights.catalog.kinds;
        if readable.is_empty() {
            return Err(format!(
                "a plugin is told of entities that it may read, and this one asks for none; name the kinds that \
                 `{}` is about in `rights`: `catalog: {{ kinds: [ … ] }}`",
                topic.topic
            ));
        }
        if let Some(kind) = topic.kinds.iter().find(|kind| !readable.iter().any(|one| one.eq_ignore_ascii_case(kind))) {
            return Err(format!("it names the kind {kind}, which `rights.catalog.kinds` does not ask for"));
        }
    }
    webhooks.iter().try_for_each(|webhook| {
        check_webhook(manifest, webhook).map_err(|problem| format!("the webhook `{}`: {problem}", webhook.topic))
    })
}

fn check_webhook(manifest: &Manifest, webhook: &WebhookContribution) -> Result<(), String> {
    if !is_webhook_topic(&webhook.topic) {
        return Err(
            "its topic must be words of lower-case letters, digits and dashes, joined by dots, and must not begin with \
             `catalog`"
                .to_owned(),
        );
    }
    let signing = signing_headers(&webhook.signature)?;
    let headers = webhook.headers.iter().chain(&webhook.delivery_id);
    for text in headers {
        let name: HeaderName = text.parse().map_err(|_| format!("`{text}` is no name of a header"))?;
        if signing.contains(&name) || NEVER_HANDED.contains(&name.as_str()) {
            return Err(format!("the header {text} says who somebody is, and is not for a plugin"));
        }
    }
    if webhook.headers.len() > HEADERS {
        return Err(format!("it names {} headers, and may name {HEADERS}", webhook.headers.len()));
    }
    match &webhook.signature {
        WebhookSignature::GitlabToken { .. } if webhook.delivery_id.is_none() => {
            return Err("with a token alone, requests are told apart by an id only: name its header as `deliveryId`, \
                        such as X-Gitlab-Event-UUID"
                .to_owned());
        }
        WebhookSignature::Slack { window_seconds: Some(seconds), .. } if !(1..=WINDOW_MOST).contains(seconds) => {
            return Err(format!("`windowSeconds` is {seconds}, but must be from 1 to {WINDOW_MOST}"));
        }
        _ => {}
    }
    check_secret(manifest, webhook.signature.secret())
}

/// A secret is in a part of app-config that the manifest asks for, and its schema marks it, so that the plugin itself is
/// never given it.
fn check_secret(manifest: &Manifest, place: &str) -> Result<(), String> {
    let mut schemas = manifest.config_schema.iter();
    let found = schemas.find_map(|(path, schema)| {
        let below = place.strip_prefix(path.as_str())?;
        (below.is_empty() || below.starts_with('.')).then_some((below, schema))
    });
    let Some((below, schema)) = found else {
        return Err(format!("`rights.config` does not ask for `{place}`, where its secret is"));
    };
    let mut names = below.split('.').filter(|name| !name.is_empty());
    let leaf = names.try_fold(schema, |schema, name| schema.get("properties")?.get(name));
    let marker = leaf.and_then(|leaf| leaf.get("x-credential")).map(Marker::read).transpose()?;
    match marker {
        Some(Marker::Webhook {}) => Ok(()),
        _ => Err(format!(
            "configSchema must describe `{place}`, where its secret is, with `x-credential: {{ kind: webhook }}`"
        )),
    }
}

#[cfg(test)]
mod tests {

    /// A manifest with these contributions, and everything that they need.
    fn check(contributed: &str, change: (&str, &str), expected: Result<(), &str>) {
        let text = format!(
            "format: 1\nid: a\nname: A\nversion: 1.0.0\nneeds: {{ host: ^0.1, plugin: ^0.1 }}\n\
             rights:\n  config: [ hook ]\n  catalog: {{ kinds: [ API ] }}\n  \
             event-subscriber: {{ topics: [ catalog.entity, github, BAD, nothing.else ] }}\n\
             configSchema:\n  hook: {{ type: object, properties: {{ secret: {{ x-credential: {{ kind: webhook }} }}, token: \
             {{ x-credential: {{ kind: bearer, origin: 'https://x.example' }} }} }} }}\n\
             contributes: {{ event-subscriber: {{ {contributed} }} }}\n"
        );
        let (from, to) = change;
        assert!(text.contains(from), "{from}");
        match (super::super::read(&text.replace(from, to)), expected) {
            (Ok(_), Ok(())) => {}
            (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
            (found, _) => panic!("{contributed}: {found:?}"),
        }
    }

    #[test]
    fn topics() {
        let check =
            |topics: &str, change: (&str, &str), expected| check(&format!("topics: [ {topics} ]"), change, expected);
        let same = ("", "");
        check("{ topic: catalog.entity }", same, Ok(()));
        check("{ topic: catalog.entity, kinds: [ api ] }", same, Ok(()));
        check("{ topic: catalog.entity, kinds: [ User ] }", same, Err("the kind User"));
        check("{ topic: catalog.entity }, { topic: catalog.entity }", same, Err("twice"));
        check("{ topic: other }", same, Err("event-subscriber: { topics: [ other ] }"));
        check("{ topic: nothing.else }", same, Err("does not tell of `nothing.else`"));
        check("", same, Err("told of nothing"));
        check("{ topic: catalog.entity }", ("kinds: [ API ]", ""), Err("this one asks for none"));
    }

    #[test]
    fn webhooks() {
        let check = |webhook: &str, expected| check(&format!("webhooks: [ {{ {webhook} }} ]"), ("", ""), expected);
        let hmac = "topic: github, signature: { scheme: hmac-sha256, secret: hook.secret }";
        check(hmac, Ok(()));
        check(&format!("{hmac}, deliveryId: X-Id, headers: [ X-Event, content-type ]"), Ok(()));
        check(&format!("{hmac}, headers: [ Authorization ]"), Err("says who somebody is"));
        check(&format!("{hmac}, headers: [ X-Hub-Signature-256 ]"), Err("says who somebody is"));
        check(&format!("{hmac}, deliveryId: X-Gitlab-Token"), Err("says who somebody is"));
        check(&format!("{hmac}, headers: [ 'a b' ]"), Err("no name of a header"));
        check(&format!("{hmac}, headers: [ {} ]", ["a"; 33].join(", ")), Err("may name 32"));
        check(&hmac.replace("github", "BAD"), Err("must be words"));
        check(&hmac.replace("github", "catalog.entity"), Err("must not begin with `catalog`"));
        check(&hmac.replace("hook.secret", "other.secret"), Err("does not ask for `other.secret`"));
        check(&hmac.replace("hook.secret", "hook.other"), Err("kind: webhook"));
        check(&hmac.replace("hook.secret", "hook.token"), Err("kind: webhook"));
        check(&hmac.replace("hook.secret", "hook"), Err("kind: webhook"));
        check(&hmac.replace("hmac-sha256", "HMAC-SHA256"), Err("unknown variant"));
        check(&hmac.replace("hmac-sha256", "none"), Err("unknown variant"));
        check("topic: github", Err("missing field `signature`"));
        check(&hmac.replace("secret: ", "key: x, secret: "), Err("key"));
        check("topic: github, signature: { scheme: gitlab-token, secret: hook.secret }", Err("name its header"));
        check(
            "topic: github, signature: { scheme: slack, secret: hook.secret, windowSeconds: 0 }",
            Err("from 1 to 3600"),
        );
        check(
            "topic: github, signature: { scheme: slack, secret: hook.secret, windowSeconds: 3601 }",
            Err("from 1 to"),
        );
        check("topic: github, signature: { scheme: pagerduty, secret: hook.secret }", Ok(()));
    }
}
