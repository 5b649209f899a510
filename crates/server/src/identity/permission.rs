//! The permissions: one for each kind of thing that a route does.

/// What a route needs. Each route names one when it is added, so that none is open by oversight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Nothing: what a visitor must reach in order to sign in, and what every API description says anyway.
    Public,
    /// Reads entities. The policy may narrow it to some of them.
    EntityRead,
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
    /// Presses the buttons that plugins show.
    PluginAct,
    /// Has a plugin's provider run now.
    PluginRun,
    /// Sends requests to the servers that an API's definition names. Only for people who are signed in.
    ApiTry,
    /// Reads who changed or attempted what.
    AuditRead,
    /// Keeps settings of one's own. Only for people who are signed in, and never about anybody else's.
    UserSettings,
}

/// What a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// All that a policy may name.
    pub const NAMED: [Permission; 15] = [
        Permission::EntityRead,
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
        Permission::PluginRun,
        Permission::ApiTry,
        Permission::AuditRead,
        Permission::UserSettings,
    ];

    /// As a policy names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Permission::Public => "public",
            Permission::EntityRead => "catalog.entity.read",
            Permission::EntityDelete => "catalog.entity.delete",
            Permission::EntityRefresh => "catalog.entity.refresh",
            Permission::EntityValidate => "catalog.entity.validate",
            Permission::LocationRead => "catalog.location.read",
            Permission::LocationCreate => "catalog.location.create",
            Permission::LocationAnalyze => "catalog.location.analyze",
            Permission::LocationDelete => "catalog.location.delete",
            Permission::EntityPush => "catalog.push",
            Permission::PluginRead => "plugin.read",
            Permission::PluginUse => "plugin.use",
            Permission::PluginAct => "plugin.act",
            Permission::PluginRun => "plugin.run",
            Permission::ApiTry => "api.try",
            Permission::AuditRead => "audit.read",
            Permission::UserSettings => "user-settings.own",
        }
    }

    /// What it is about.
    #[must_use]
    pub fn subject(self) -> Subject {
        match self {
            Permission::EntityRead | Permission::EntityDelete | Permission::EntityRefresh => Subject::Entities,
            _ => Subject::Whole,
        }
    }

    /// What becomes of a request that lacks it.
    #[must_use]
    pub fn denied(self) -> Denied {
        match self {
            Permission::EntityRead | Permission::LocationRead => Denied::Hidden,
            _ => Denied::Forbidden,
        }
    }

    /// Whether no policy can give it to somebody who is not signed in.
    #[must_use]
    pub fn needs_a_user(self) -> bool {
        matches!(self, Permission::ApiTry | Permission::UserSettings)
    }

    /// Whether a signed-in user has it where app-config has no policy: to read, to have things read again, and to keep
    /// settings of their own.
    #[must_use]
    pub fn by_default(self) -> bool {
        matches!(
            self,
            Permission::EntityRead
                | Permission::EntityRefresh
                | Permission::LocationRead
                | Permission::PluginRead
                | Permission::PluginUse
                | Permission::PluginRun
                | Permission::ApiTry
                | Permission::UserSettings
        )
    }

    /// Whether a name in a policy, which may contain `*`, stands for this permission.
    #[must_use]
    pub fn matches(self, pattern: &str) -> bool {
        let mut names = self.name().split('.').peekable();
        let mut patterns = pattern.split('.').peekable();
        loop {
            match (patterns.next(), names.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) if patterns.peek().is_none() => return true,
                (Some(pattern), Some(name)) if segment_matches(pattern, name) => {}
                _ => return false,
            }
        }
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
        fn check(pattern: &str, permission: Permission, expected: bool) {
            assert_eq!(permission.matches(pattern), expected, "{pattern} for {}", permission.name());
        }
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
    }
}
