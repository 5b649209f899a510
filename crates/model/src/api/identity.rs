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
    /// Where the browser goes to sign in, on the portal's own origin; `redirectUrl` may be added, which is a path.
    pub start: String,
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
