//! `auth.providers`: the services where people sign in. Most settings are the same for all of them, and stand either in the
//! provider's block or, as in Backstage, below the name of an environment. They are described once, with GitHub.

use super::Kind::*;
use super::{Branch, Key};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "auth.providers.github",
        Mapping,
        "Sign-in with GitHub. Its settings, and those of the services below, may stand one level deeper, below the name \
         of an environment: then those of `auth.environment` count",
    ),
    Key::new("auth.providers.github.clientId", Text, "What the service knows the portal by"),
    Key::new("auth.providers.github.clientSecret", Secret, "What the portal proves that with"),
    Key::new(
        "auth.providers.github.callbackUrl",
        Url,
        "Where the service sends people back to, as it is registered there",
    )
    .default("`<backend.baseUrl>/api/auth/github/handler/frame`"),
    Key::new(
        "auth.providers.github.additionalScopes",
        Any,
        "Scopes to ask for beyond those that sign-in needs, a text or a list",
    ),
    Key::new(
        "auth.providers.github.sessionDuration",
        Duration,
        "How long a session may last, at most `auth.session.lifetime`",
    )
    .default("`auth.session.lifetime`"),
    Key::new("auth.providers.github.title", Text, "For people: the name on the button").default("GitHub"),
    Key::new("auth.providers.github.signIn", Mapping, "Who is who in the catalog"),
    Key::new(
        "auth.providers.github.signIn.resolvers",
        List,
        "The ways to find somebody in the catalog, tried in this order until one finds somebody",
    ),
    Key::new(
        "auth.providers.github.signIn.resolvers[].resolver",
        Text,
        "`usernameMatchingUserEntityName`, `userIdMatchingUserEntityAnnotation`, \
         `subjectMatchingUserEntityAnnotation`, `emailMatchingUserEntityProfileEmail`, \
         `emailMatchingUserEntityAnnotation` or `emailLocalPartMatchingUserEntityName`, as far as the service can tell \
         that for sure",
    )
    .required(),
    Key::new(
        "auth.providers.github.signIn.resolvers[].allowedDomains",
        Texts,
        "Required where addresses are compared: the domains of those that count, such as `[example.com]`",
    ),
    Key::new(
        "auth.providers.github.signIn.resolvers[].annotation",
        Text,
        "The annotation to compare with, such as `example.com/user-id`",
    )
    .default("the one that Backstage has for the service"),
    Key::new(
        "auth.providers.github.signIn.resolvers[].dangerouslyAllowSignInWithoutUserInCatalog",
        Boolean,
        "Whether somebody who is not in the catalog is signed in as `user:default/<name>`",
    )
    .default("false"),
    Key::new("auth.providers.github.enterpriseInstanceUrl", Url, "An Enterprise Server").default("github.com"),
    Key::new("auth.providers.github.*", Mapping, "The same, for the environment with this name"),
    Key::new("auth.providers.auth0", Mapping, "Sign-in with Auth0; further settings as for GitHub"),
    Key::new("auth.providers.auth0.domain", Text, "The tenant's host, such as `acme.eu.auth0.com`; required"),
    Key::new("auth.providers.auth0.connection", Text, "The connection that people sign in by").default("they choose"),
    Key::new("auth.providers.gitlab", Mapping, "Sign-in with GitLab; further settings as for GitHub"),
    Key::new("auth.providers.gitlab.audience", Url, "Another GitLab than gitlab.com").default("`https://gitlab.com`"),
    Key::new("auth.providers.google", Mapping, "Sign-in with Google; further settings as for GitHub"),
    Key::new("auth.providers.microsoft", Mapping, "Sign-in with Microsoft Entra ID; further settings as for GitHub"),
    Key::new("auth.providers.microsoft.tenantId", Text, "The directory's id, a GUID; required"),
    Key::new("auth.providers.microsoft.domainHint", Text, "The organisation that people sign in for")
        .default("they choose"),
    Key::new("auth.providers.oidc", Mapping, "Sign-in with any OpenID Connect service; further settings as for GitHub"),
    Key::new(
        "auth.providers.oidc.metadataUrl",
        Url,
        "Where the service describes itself: its issuer with `/.well-known/openid-configuration`; required",
    ),
    Key::new(
        "auth.providers.oidc.prompt",
        Text,
        "What the service asks each time, such as `login` or `select_account`",
    )
    .default("what it needs to know"),
    Key::new(
        "auth.providers.oidc.tokenEndpointAuthMethod",
        Choice(&["client_secret_basic", "client_secret_post"]),
        "How the secret is sent",
    )
    .default("as the service says"),
    Key::new("auth.providers.okta", Mapping, "Sign-in with Okta; further settings as for GitHub"),
    Key::new(
        "auth.providers.okta.audience",
        Url,
        "The organisation's address, such as `https://acme.okta.com`; required",
    ),
    Key::new("auth.providers.okta.authServerId", Text, "An authorization server of its own, such as `default`")
        .default("the organisation's"),
    Key::new("auth.providers.okta.idp", Text, "The identity provider that people sign in by").default("they choose"),
    Key::new("auth.providers.onelogin", Mapping, "Sign-in with OneLogin; further settings as for GitHub"),
    Key::new("auth.providers.onelogin.issuer", Url, "Such as `https://acme.onelogin.com/oidc/2`; required"),
];

/// The services, and which of GitHub's settings they share.
const SERVICES: &[&str] = &["auth0", "gitlab", "google", "microsoft", "oidc", "okta", "onelogin"];
const SHARED: &[&str] =
    &["clientId", "clientSecret", "callbackUrl", "additionalScopes", "sessionDuration", "title", "signIn"];

/// Adds to the tree what is described once.
pub(super) fn complete(root: &mut Branch) {
    let providers = root.children.get_mut("auth").and_then(|auth| auth.children.get_mut("providers"));
    let Some(providers) = providers else { return };
    let Some(github) = providers.children.get(GITHUB).cloned() else { return };
    let shared: Vec<_> = SHARED
        .iter()
        .filter_map(|name| github.children.get_key_value(name).map(|(name, key)| (*name, key.clone())))
        .collect();
    let environment = github.any.as_deref().and_then(|any| any.key);
    for id in SERVICES.iter().chain([&GITHUB]) {
        let Some(service) = providers.children.get_mut(id) else { continue };
        for (name, branch) in &shared {
            service.children.entry(*name).or_insert_with(|| branch.clone());
        }
        service.any =
            Some(Box::new(Branch { key: environment, children: service.children.clone(), ..Branch::default() }));
    }
}

const GITHUB: &str = "github";

/// The path of the block in which a setting that was added here is described. Others are described where they are.
pub(crate) fn described<'a>(key: &'a Key, path: &'a str) -> Option<&'a str> {
    const BLOCK: &str = "auth.providers.github.";
    let setting = key.path.strip_prefix(BLOCK)?;
    match setting {
        // What is below an environment's name is the block again.
        "*" => path.rsplit_once('.').map(|(block, _)| block),
        _ => (!path.starts_with(BLOCK)).then_some(key.path),
    }
}

/// The names of the settings of a service, by which a block of settings is told from one with environments.
pub(crate) fn settings(id: &str) -> impl Iterator<Item = &'static str> {
    let providers = super::tree().children.get("auth").and_then(|auth| auth.children.get("providers"));
    let service = providers.and_then(|providers| providers.children.get(id));
    service.into_iter().flat_map(|service| service.children.keys().copied())
}
