//! Who somebody is, how they signed in, the tokens that they made, and why they may do something.

use serde::{Deserialize, Serialize};

/// A service where people sign in, such as GitHub or the company's OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignInProvider {
    /// Its key in app-config's `auth.providers`.
    pub id: String,
    /// For people.
    pub title: String,
    /// Where the browser goes to sign in, on the portal's own origin. It has a query, to which `redirectUrl` may be added:
    /// the path of the page to come back to.
    pub start: String,
}

/// Why somebody who came back from a service is not signed in: `error` in the address of the sign-in page. The rest is in
/// the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInError {
    /// Nobody in the catalog is meant.
    NoUser,
    /// Several users in the catalog are meant.
    AmbiguousUser,
    /// The service does not say that an address of theirs was verified.
    EmailNotVerified,
    /// No verified address of theirs is of a domain that app-config lists.
    DomainNotListed,
    /// The service refused, perhaps because they changed their mind.
    ProviderRefused,
    /// The service cannot be asked.
    ProviderUnreachable,
    /// The service's answer does not prove who they are.
    ProviderInvalid,
    /// They were away for too long, or came back a second time.
    Expired,
    /// They did not come back in the browser, or from the service, that they left with.
    FlowMismatch,
    /// app-config does not say who is who.
    NotConfigured,
    /// The portal itself failed.
    PortalFailed,
}

impl SignInError {
    /// All of them.
    pub const ALL: [SignInError; 11] = [
        SignInError::NoUser,
        SignInError::AmbiguousUser,
        SignInError::EmailNotVerified,
        SignInError::DomainNotListed,
        SignInError::ProviderRefused,
        SignInError::ProviderUnreachable,
        SignInError::ProviderInvalid,
        SignInError::Expired,
        SignInError::FlowMismatch,
        SignInError::NotConfigured,
        SignInError::PortalFailed,
    ];

    /// As the address has it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            SignInError::NoUser => "no-user",
            SignInError::AmbiguousUser => "ambiguous-user",
            SignInError::EmailNotVerified => "email-not-verified",
            SignInError::DomainNotListed => "domain-not-listed",
            SignInError::ProviderRefused => "provider-refused",
            SignInError::ProviderUnreachable => "provider-unreachable",
            SignInError::ProviderInvalid => "provider-invalid",
            SignInError::Expired => "expired",
            SignInError::FlowMismatch => "flow-mismatch",
            SignInError::NotConfigured => "not-configured",
            SignInError::PortalFailed => "portal-failed",
        }
    }

    /// The one with this code. An address can say anything, and nothing else is to be shown of it.
    #[must_use]
    pub fn of_code(code: &str) -> Option<SignInError> {
        SignInError::ALL.into_iter().find(|error| error.code() == code)
    }
}

/// `/api/auth/{provider}/refresh`: who is signed in with a provider, as clients of Backstage ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProviderSession {
    /// For people.
    pub profile: ProviderProfile,
    /// A token for the portal's API, and whose it is.
    pub backstage_identity: BackstageIdentity,
}

/// What is known of a user, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProviderProfile {
    /// From the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// From the catalog, or else from the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The address of a picture, from the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// A user's token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackstageIdentity {
    /// For `Authorization: Bearer`.
    pub token: String,
    /// How long it is valid.
    pub expires_in_seconds: u64,
    /// Whose it is.
    pub identity: BackstageUser,
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackstageUser {
    /// Always `user`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `user:default/ada`.
    pub user_entity_ref: String,
    /// The refs that count as theirs: their own, and those of their groups.
    pub ownership_entity_refs: Vec<String>,
}

/// A session of the user who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// Names it; no secret.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The provider: `guest`, `development`, `github` …
    pub provider: String,
    /// When it began, RFC 3339.
    pub created_at: String,
    /// When it was last used, to some minutes, RFC 3339.
    pub seen_at: String,
    /// When it ends whatever is done with it, RFC 3339.
    pub expires_at: String,
    /// The browser, as it named itself when the session began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// `GET /api/auth/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// The one that asks first, then the last used first.
    pub items: Vec<SessionInfo>,
}

/// A token that somebody made for a program of theirs. The secret itself is only ever shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PersonalToken {
    /// Names it; no secret.
    pub id: String,
    /// What its owner called it.
    pub name: String,
    /// The permissions that it carries, as a policy writes them; it never has more than its owner.
    pub scope: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: String,
    /// RFC 3339, to some minutes; none where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<String>,
}

/// `GET /api/auth/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonalTokenList {
    /// The newest first.
    pub items: Vec<PersonalToken>,
}

/// `POST /api/auth/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewPersonalToken {
    /// What it is for; 1 to 100 characters.
    pub name: String,
    /// Permissions as a policy writes them, such as `catalog.*.read`; at least one.
    pub scope: Vec<String>,
    /// How long it is valid: 1 to 366 days.
    pub days: u32,
}

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadePersonalToken {
    /// What is kept of it.
    pub token: PersonalToken,
    /// The token itself, for `Authorization: Bearer`. It is not kept and cannot be shown again.
    pub secret: String,
}

/// `GET /api/permission/explain`: why somebody may or may not do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyExplanation {
    /// Who, as the log names them.
    pub principal: String,
    /// The refs that count as theirs.
    pub ownership: Vec<String>,
    /// Such as `catalog.entity.delete`.
    pub permission: String,
    /// The entity that was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_ref: Option<String>,
    /// Whether they may.
    pub allowed: bool,
    /// What decided: the names of rules, or what no policy changes.
    pub reason: String,
    /// The rules about the permission, in the order in which they are weighed.
    pub rules: Vec<ExplainedRule>,
}

/// A rule of the policy, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExplainedRule {
    /// Its name.
    pub name: String,
    /// The file and line, for those who may ask about others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What it came to.
    pub outcome: RuleOutcome,
    /// For whom it is, for those who may ask about others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
}

/// What a rule came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// It gives the permission.
    Gives,
    /// It is for others.
    ForOthers,
    /// It is for them, and its condition does not hold for the entity.
    OtherEntities,
    /// It is for them and some entities, and no entity was asked about.
    SomeEntities,
    /// It has a condition on entities, and the permission is not about entities.
    NotAboutEntities,
}

/// `GET /api/permission/permissions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PermissionList {
    /// In the order of the API's description.
    pub items: Vec<PermissionInfo>,
}

/// A permission that a policy may name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionInfo {
    /// Such as `catalog.entity.read`.
    pub name: String,
    /// `create`, `read`, `update` or `delete`; none for the few of which Backstage says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Whether a rule may narrow it to some entities.
    pub about_entities: bool,
}
