//! The permissions in words, the patterns that stand for several, and the page that says why.

use callboard_model::api::PermissionInfo;

use crate::api::identity::Question;
use crate::messages::{Msg, t};
use crate::ui::Choice;

/// The address of the page that answers a question.
pub(crate) fn address(question: &Question) -> String {
    let Question { permission, entity_ref, user } = question;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("permission", permission), ("entityRef", entity_ref), ("user", user)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    // Colons and slashes may stand in a query as they are, and read better so.
    let query = query.finish().replace("%3A", ":").replace("%2F", "/");
    if query.is_empty() { "/permissions".to_owned() } else { format!("/permissions?{query}") }
}

/// What a permission lets somebody do; none for those that app-config and plugins name.
pub(crate) fn words(permission: &str) -> Option<&'static str> {
    let message = match permission {
        "catalog.entity.read" => Msg::MayReadEntity,
        "catalog.entity.create" => Msg::MayCreateEntity,
        "catalog.entity.delete" => Msg::MayDeleteEntity,
        "catalog.entity.refresh" => Msg::MayRefreshEntity,
        "catalog.entity.validate" => Msg::MayValidateEntity,
        "catalog.location.read" => Msg::MayReadLocation,
        "catalog.location.create" => Msg::MayCreateLocation,
        "catalog.location.analyze" => Msg::MayAnalyzeLocation,
        "catalog.location.delete" => Msg::MayDeleteLocation,
        "plugin.read" => Msg::MayReadPlugin,
        "plugin.use" => Msg::MayUsePlugin,
        "plugin.act" => Msg::MayActPlugin,
        "plugin.log.read" => Msg::MayReadPluginLog,
        "metrics.read" => Msg::MayReadMetrics,
        "plugin.run" => Msg::MayRunPlugin,
        "plugin.manage" => Msg::MayManagePlugin,
        "event.read" => Msg::MayReadEvents,
        "event.manage" => Msg::MayManageEvents,
        "api.try" => Msg::MayTryApi,
        "audit.read" => Msg::MayReadAudit,
        "policy.read" => Msg::MayReadPolicy,
        // What the audit log has in a permission's place.
        "sign-in" => Msg::SignIn,
        "sign-out" => Msg::SignOut,
        "webhook" => Msg::AWebhook,
        _ => return None,
    };
    Some(t(message))
}

/// A permission with what it lets somebody do, in one line.
pub(crate) fn line(permission: &str) -> String {
    match words(permission) {
        Some(words) => Msg::PermissionLine.with(&[("words", &words), ("name", &permission)]),
        None => permission.to_owned(),
    }
}

/// The permissions, to choose one of.
pub(crate) fn choices(permissions: &[PermissionInfo]) -> Vec<Choice> {
    let choice = |permission: &PermissionInfo| Choice {
        value: permission.name.clone(),
        label: line(&permission.name),
        count: None,
    };
    permissions.iter().map(choice).collect()
}

/// The permissions and before them the patterns that stand for several, each with how many.
pub(crate) fn choices_with_patterns(permissions: &[PermissionInfo]) -> Vec<Choice> {
    let pattern =
        |(pattern, count): (String, u64)| Choice { label: pattern_line(&pattern), value: pattern, count: Some(count) };
    patterns(permissions).into_iter().map(pattern).chain(choices(permissions)).collect()
}

fn pattern_line(pattern: &str) -> String {
    if pattern == "*" {
        Msg::PermissionLine.with(&[("words", &t(Msg::MayAll)), ("name", &pattern)])
    } else {
        pattern.to_owned()
    }
}

/// Each pattern that stands for more than one permission: everything, all of an API, and one action on all that an API
/// has.
fn patterns(permissions: &[PermissionInfo]) -> Vec<(String, u64)> {
    let mut patterns = vec!["*".to_owned()];
    for permission in permissions {
        let parts: Vec<&str> = permission.name.split('.').collect();
        let (Some(api), Some(action)) = (parts.first(), parts.last()) else { continue };
        let all = format!("{api}.*");
        let each = (parts.len() == 3).then(|| format!("{api}.*.{action}"));
        for pattern in std::iter::once(all).chain(each) {
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
    }
    let count =
        |pattern: &str| permissions.iter().filter(|permission| matches(&permission.name, pattern)).count() as u64;
    patterns
        .into_iter()
        .map(|pattern| (count(&pattern), pattern))
        .filter(|(n, _)| *n > 1)
        .map(|(n, p)| (p, n))
        .collect()
}

/// Whether a pattern stands for a permission: `*` is one part of a name, and at the end all that follow.
fn matches(name: &str, pattern: &str) -> bool {
    let mut names = name.split('.');
    let mut patterns = pattern.split('.').peekable();
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) if patterns.peek().is_none() => return true,
            (Some(pattern), Some(name)) if pattern == "*" || pattern == name => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<PermissionInfo> {
        let info = |name: &&str| PermissionInfo { name: (*name).to_owned(), action: None, about_entities: false };
        names.iter().map(info).collect()
    }

    #[test]
    fn several_at_once() {
        let permissions =
            named(&["catalog.entity.read", "catalog.entity.delete", "catalog.location.read", "plugin.read", "api.try"]);
        let expected = [("*", 5), ("catalog.*", 3), ("catalog.*.read", 2)];
        assert_eq!(patterns(&permissions), expected.map(|(pattern, count)| (pattern.to_owned(), count)));
        let choices = choices_with_patterns(&permissions);
        assert_eq!(choices.len(), 8);
        assert_eq!(choices[1].label, "catalog.*");
        assert_eq!(choices[3].label, "See entities (catalog.entity.read)");
    }

    #[test]
    fn addresses() {
        let question = |permission: &str, entity_ref: &str, user: &str| Question {
            permission: permission.into(),
            entity_ref: entity_ref.into(),
            user: user.into(),
        };
        for (question, expected) in [
            (question("", "", ""), "/permissions"),
            (question("api.try", "", ""), "/permissions?permission=api.try"),
            (
                question("a", "api:default/b", "user:default/c&d"),
                "/permissions?permission=a&entityRef=api:default/b&user=user:default/c%26d",
            ),
        ] {
            assert_eq!(address(&question), expected);
        }
    }
}
