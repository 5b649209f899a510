//! `GET /api/permission/explain`: why somebody may or may not do something. Callboard's own.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use callboard_model::access::Access;
use callboard_model::api::{ExplainedRule, PolicyExplanation, RuleOutcome};
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::SearchRows;
use serde_json::Value;

use crate::http::caller::{Caller, lacks};
use crate::http::error::{ApiError, Result, json};
use crate::http::params::Params;
use crate::http::state::App;
use crate::identity::{Principal, User, directory};
use crate::policy::{Action, Explanation, Outcome, Permission, Scope, Subject, Weighed};

/// Why whoever asks may or may not do something, or, for those who may ask that, somebody else.
#[utoipa::path(get, path = "/permission/explain", tag = "permission", operation_id = "explainPermission",
    params(
        ("permission" = String, Query),
        ("entityRef" = Option<String>, Query, description = "An entity that the caller may see"),
        ("user" = Option<String>, Query, description = "Whoever asks where absent; `plugin:<id>` for a plugin that works for nobody in particular. Needs `policy.read`"),
    ),
    responses((status = 200, body = PolicyExplanation), (status = 404, description = "No such entity that the caller may see")))]
pub(super) async fn explain(State(app): State<App>, caller: Caller, RawQuery(raw): RawQuery) -> Result<Response> {
    let params = Params::read(raw.as_deref(), &["permission", "entityRef", "user"])?;
    let name = params
        .one("permission")?
        .ok_or_else(|| ApiError::input("Name a permission: ?permission=catalog.entity.read"))?;
    // What a plugin or the proxy names is weighed by its name; it may be about entities.
    let permission =
        Permission::built_in(name).unwrap_or_else(|| Permission::named(name, Action::Update, Subject::Entities));
    let reads_policy = caller.policy().decide(&caller.principal, &Permission::PolicyRead);
    let sees_rules = reads_policy.access == Access::All;
    let principal = match params.one("user")? {
        None => caller.principal.clone(),
        Some(_) if !sees_rules => return Err(lacks(&caller.principal, &Permission::PolicyRead, &reads_policy.reason)),
        Some(user) => somebody(&app, user).await?,
    };
    let entity_ref = params.one("entityRef")?.map(entity_ref).transpose()?;
    let rows = match &entity_ref {
        None => None,
        Some(entity_ref) => {
            let access = if sees_rules { Access::All } else { caller.access_to(Permission::EntityRead) };
            let found = app.catalog.by_ref(&access, entity_ref).await?;
            let found = found.ok_or_else(|| ApiError::not_found(format!("Entity {entity_ref} not found")))?;
            let entity: Value = serde_json::from_str(found.get()).map_err(|error| ApiError::internal(&error))?;
            Some(SearchRows::of(&entity).map_err(|error| ApiError::internal(&error))?)
        }
    };
    let explanation = caller.policy().explain(&principal, &permission, rows.as_ref());
    Ok(json(&written(&principal, &permission, entity_ref.as_ref(), explanation, sees_rules)))
}

/// Somebody as they would be at the portal's pages, or a plugin as it works for nobody in particular.
async fn somebody(app: &App, user: &str) -> Result<Principal> {
    if let Some(id) = user.strip_prefix("plugin:") {
        return Ok(Principal::Plugin(id.to_owned()));
    }
    let entity_ref = EntityRef::parse(user, Some("user"), None)
        .map_err(|error| ApiError::input(format!("'{}' is no user: {error}", user.escape_default())))?;
    let found = app.catalog.by_ref(&Access::All, &entity_ref).await?;
    let entity: Value = found.map_or(Ok(Value::Null), |found| serde_json::from_str(found.get())).unwrap_or_default();
    let ownership = std::iter::once(entity_ref.clone()).chain(directory::groups_of(&entity)).collect();
    let display_name = entity_ref.name().to_owned();
    Ok(Principal::User(User { entity_ref, display_name, ownership, scope: Scope::unlimited() }))
}

fn entity_ref(text: &str) -> Result<EntityRef> {
    EntityRef::parse(text, None, None)
        .map_err(|error| ApiError::input(format!("'{}' is no entity ref: {error}", text.escape_default())))
}

/// What is told. Where rules stand and for whom they are is for those who may read the policy; everybody else learns
/// which rules decided about them.
fn written(
    principal: &Principal,
    permission: &Permission,
    entity_ref: Option<&EntityRef>,
    explanation: Explanation,
    sees_rules: bool,
) -> PolicyExplanation {
    let ownership = principal.user().map(|user| user.ownership.as_slice()).unwrap_or_default();
    let rule = |Weighed { rule, outcome }: Weighed| ExplainedRule {
        name: rule.name.to_string(),
        place: rule.origin.filter(|_| sees_rules).map(|origin| origin.to_string()),
        outcome: of(outcome),
        to: sees_rules.then(|| rule.to.iter().map(ToString::to_string).collect()),
    };
    PolicyExplanation {
        principal: principal.to_string(),
        ownership: ownership.iter().map(ToString::to_string).collect(),
        permission: permission.name().to_owned(),
        entity_ref: entity_ref.map(ToString::to_string),
        allowed: explanation.allowed,
        reason: explanation.reason.to_string(),
        rules: explanation.rules.into_iter().map(rule).collect(),
    }
}

fn of(outcome: Outcome) -> RuleOutcome {
    match outcome {
        Outcome::Gives => RuleOutcome::Gives,
        Outcome::ForOthers => RuleOutcome::ForOthers,
        Outcome::OtherEntities => RuleOutcome::OtherEntities,
        Outcome::SomeEntities => RuleOutcome::SomeEntities,
        Outcome::NotAboutEntities => RuleOutcome::NotAboutEntities,
    }
}
