//! The permissions: one for each kind of thing that a route does.

use std::sync::Arc;

/// What a route needs. Each route names one when it is added, so that none is open by oversight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Nothing: what a visitor must reach in order to sign in, and what every API description says anyway.
    Public,
    /// What concerns nobody but the user who asks: their settings, sessions and tokens. No policy gives or takes it.
    Own,
    /// What they have set for themselves, such as a theme or their starred entities: like [`Own`](Permission::Own), and
    /// nothing that an audit log needs.
    OwnSettings,
    /// Reads entities. The policy may narrow it to some of them.
    EntityRead,
    /// Adds entities to the catalog. No route of Callboard asks for it: clients of Backstage ask whether somebody has it.
    EntityCreate,
    /// Removes an entity.
    EntityDelete,
    /// Has an entity read again from its source.
    EntityRefresh,
    /// Checks an entity that is not in the catalog. It may make the server read what the entity refers to.
    EntityValidate,
    /// Reads the registered locations.
    LocationRead,
    /// Registers a location, or has one name something else.
    LocationCreate,
    /// Asks what the catalog has from a location, and what could be written there.
    LocationAnalyze,
    /// Removes a registered location.
    LocationDelete,
    /// Pushes entities. No policy gives it: the token of a source does, for that source.
    EntityPush,
    /// Sees which plugins there are, with their grants and states.
    PluginRead,
    /// Sees what plugins show.
    PluginUse,
    /// Presses the buttons that plugins show. The policy may narrow it to the pages of some entities.
    PluginAct,
    /// Reads what plugins wrote into their logs, and where they trapped.
    PluginLog,
    /// Has a plugin's provider run now.
    PluginRun,
    /// Reloads plugins, switches them on and off, and goes back to the version before.
    PluginManage,
    /// Sees the events that could not be delivered to plugins, with what is in them.
    EventRead,
    /// Has such events tried again, or discards them.
    EventManage,
    /// Sends requests to the servers that an API's definition names. Only for people who are signed in.
    ApiTry,
    /// Reads what was changed and refused, by whom.
    AuditRead,
    /// Reads the numbers that a monitoring system collects.
    MetricsRead,
    /// Asks what the policy says of somebody else.
    PolicyRead,
    /// Something that app-config or a plugin's manifest names: an endpoint of the proxy, an action of a plugin.
    Named(Arc<Named>),
}

/// A permission that is not built in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// Dotted, beginning with who named it: `proxy.grafana.read`, `s3.bucket.empty`.
    pub name: String,
    /// What having it lets somebody do.
    pub action: Action,
    /// What it is about.
    pub subject: Subject,
}

/// What a permission lets somebody do with what it is about, as Backstage's permission attributes have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Makes something.
    Create,
    /// Sees something.
    Read,
    /// Changes something.
    Update,
    /// Removes something.
    Delete,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 4] = [Action::Create, Action::Read, Action::Update, Action::Delete];

    /// As it is written in tokens' restrictions and requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Read => "read",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }
}

/// What a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Single entities: a rule with a `where` narrows it.
    Entities,
    /// The thing as a whole: a rule with a `where` does not apply to it.
    Whole,
}

/// What somebody gets who is signed in and may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// What is hidden from them does not seem to exist: an empty list, or 404.
    Hidden,
    /// 403.
    Forbidden,
}

impl Permission {
    /// All that a policy may name, beside those that app-config and plugins name.
    pub const BUILT_IN: [Permission; 21] = [
        Permission::EntityRead,
        Permission::EntityCreate,
        Permission::EntityDelete,
        Permission::EntityRefresh,
        Permission::EntityValidate,
        Permission::LocationRead,
        Permission::LocationCreate,
        Permission::LocationAnalyze,
        Permission::LocationDelete,
        Permission::PluginRead,
        Permission::PluginUse,
        Permission::PluginAct,
        Permission::PluginLog,
        Permission::PluginRun,
        Permission::PluginManage,
        Permission::EventRead,
        Permission::EventManage,
        Permission::ApiTry,
        Permission::AuditRead,
        Permission::MetricsRead,
        Permission::PolicyRead,
    ];

    /// The built-in one with this name, letter for letter.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Permission> {
        Permission::BUILT_IN.into_iter().find(|permission| permission.name() == name)
    }

    /// One that app-config or a manifest names.
    #[must_use]
    pub fn named(name: impl Into<String>, action: Action, subject: Subject) -> Permission {
        Permission::Named(Arc::new(Named { name: name.into(), action, subject }))
    }

    /// As a policy names it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Permission::Public => "public",
            Permission::Own => "own",
            Permission::OwnSettings => "own.settings",
            Permission::EntityRead => "catalog.entity.read",
            Permission::EntityCreate => "catalog.entity.create",
            Permission::EntityDelete => "catalog.entity.delete",
            Permission::EntityRefresh => "catalog.entity.refresh",
            Permission::EntityValidate => "catalog.entity.validate",
            Permission::LocationRead => "catalog.location.read",
            Permission::LocationCreate => "catalog.location.create",
            Permission::LocationAnalyze => "catalog.location.analyze",
            Permission::LocationDelete => "catalog.location.delete",
            Permission::EntityPush => "catalog.entity.push",
            Permission::PluginRead => "plugin.read",
            Permission::PluginUse => "plugin.use",
            Permission::PluginAct => "plugin.act",
            Permission::PluginLog => "plugin.log.read",
            Permission::PluginRun => "plugin.run",
            Permission::PluginManage => "plugin.manage",
            Permission::EventRead => "event.read",
            Permission::EventManage => "event.manage",
            Permission::ApiTry => "api.try",
            Permission::AuditRead => "audit.read",
            Permission::MetricsRead => "metrics.read",
            Permission::PolicyRead => "policy.read",
            Permission::Named(named) => &named.name,
        }
    }

    /// The API that it belongs to, as the `plugin` of a token's restrictions names it: the beginning of its name.
    #[must_use]
    pub fn api(&self) -> &str {
        self.name().split('.').next().unwrap_or_default()
    }

    /// What it lets somebody do; none for the few of which Backstage says nothing.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self {
            Permission::EntityRead
            | Permission::LocationRead
            | Permission::PluginRead
            | Permission::PluginLog
            | Permission::PluginUse
            | Permission::EventRead
            | Permission::AuditRead
            | Permission::MetricsRead
            | Permission::PolicyRead => Some(Action::Read),
            Permission::EntityCreate | Permission::LocationCreate | Permission::EntityPush => Some(Action::Create),
            Permission::EntityRefresh
            | Permission::PluginAct
            | Permission::PluginRun
            | Permission::PluginManage
            | Permission::EventManage => Some(Action::Update),
            Permission::EntityDelete | Permission::LocationDelete => Some(Action::Delete),
            Permission::Public
            | Permission::Own
            | Permission::OwnSettings
            | Permission::EntityValidate
            | Permission::LocationAnalyze
            | Permission::ApiTry => None,
            Permission::Named(named) => Some(named.action),
        }
    }

    /// Whether what is done with it goes into the audit log: whatever changes something, here or elsewhere.
    #[must_use]
    pub fn is_audited(&self) -> bool {
        match self.action() {
            Some(action) => action != Action::Read,
            None => *self == Permission::ApiTry,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Permission::EntityRead | Permission::EntityDelete | Permission::EntityRefresh | Permission::PluginAct => {
                Subject::Entities
            }
            Permission::Named(named) => named.subject,
            _ => Subject::Whole,
        }
    }

    /// What becomes of a request that lacks it.
    #[must_use]
    pub fn denied(&self) -> Denied {
        match self {
            Permission::EntityRead | Permission::LocationRead => Denied::Hidden,
            _ => Denied::Forbidden,
        }
    }

    /// Whether no policy can give it to somebody who is not signed in.
    #[must_use]
    pub fn needs_a_user(&self) -> bool {
        *self == Permission::ApiTry
    }

    /// Whether a name in a policy, which may contain `*`, stands for this permission.
    #[must_use]
    pub fn matches(&self, pattern: &str) -> bool {
        let names: Vec<&str> = self.name().split('.').collect();
        let patterns: Vec<&str> = pattern.split('.').collect();
        segments_match(&patterns, &names)
    }
}

fn segments_match(patterns: &[&str], names: &[&str]) -> bool {
    match (patterns, names) {
        ([], []) => true,
        (["*"], [_, ..]) => true,
        // One segment or several.
        (["**", rest @ ..], [_, names @ ..]) => segments_match(rest, names) || segments_match(patterns, names),
        ([pattern, patterns @ ..], [name, names @ ..]) => {
            segment_matches(pattern, name) && segments_match(patterns, names)
        }
        _ => false,
    }
}

/// `*` at the end of a segment stands for the rest of its name.
fn segment_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, permission: Permission, expected: bool| {
            assert_eq!(permission.matches(pattern), expected, "{pattern} for {}", permission.name());
        };
        check("catalog.entity.read", Permission::EntityRead, true);
        check("catalog.entity.read", Permission::EntityDelete, false);
        check("catalog.entity.*", Permission::EntityDelete, true);
        check("catalog.entity.*", Permission::LocationRead, false);
        check("catalog.*", Permission::LocationRead, true);
        check("catalog.*.read", Permission::LocationRead, true);
        check("catalog.*.read", Permission::LocationCreate, false);
        check("catalog.ent*.read", Permission::EntityRead, true);
        check("catalog.ent*.read", Permission::LocationRead, false);
        check("*", Permission::ApiTry, true);
        check("*.read", Permission::PluginRead, true);
        check("*.read", Permission::EntityRead, false);
        check("catalog", Permission::EntityRead, false);
        check("catalog.entity", Permission::EntityRead, false);
        check("catalog.entity.read.*", Permission::EntityRead, false);
        check("", Permission::EntityRead, false);
        check("CATALOG.entity.read", Permission::EntityRead, false);
        check("**.read", Permission::PluginRead, true);
        check("**.read", Permission::EntityRead, true);
        check("**.read", Permission::EntityDelete, false);
        check("catalog.**.read", Permission::EntityRead, true);
        check("catalog.entity.**.read", Permission::EntityRead, false);
        check("**", Permission::EntityRead, true);
        let endpoint = |name: &str| Permission::named(name, Action::Read, Subject::Whole);
        check("proxy.**.read", endpoint("proxy.a.read"), true);
        check("proxy.**.read", endpoint("proxy.a.b.c.read"), true);
        check("proxy.**.read", endpoint("proxy.a.read.write"), false);
        check("proxy.**.read", endpoint("proxy.read"), false);
        check("proxy.a.*", endpoint("proxy.a.b.write"), true);
    }
}
