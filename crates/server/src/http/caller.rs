//! What whoever asks may do, for handlers: decided once per request, by the policy in force.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use callboard_catalog::Catalog;
use callboard_host::Acting;
use callboard_model::access::Access;
use callboard_model::filter::SearchRows;
use serde_json::Value;

use super::error::{ApiError, MISSING, Result};
use super::identify::{Identified, Identity};
use super::state::App;
use crate::adapter::catalog_reader;
use crate::identity::{Credential, Principal};
use crate::policy::{Denied, Permission, Policy, Reason};

/// Who is asking, and what they may do with what the route is about.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) credential: Credential,
    /// What the route needs.
    pub(crate) permission: Permission,
    /// What they have of it.
    pub(crate) access: Access,
    /// Why they have it.
    pub(crate) reason: Reason,
    policy: Arc<Policy>,
}

impl Caller {
    /// What they may do with something else.
    pub(crate) fn access_to(&self, permission: Permission) -> Access {
        self.policy.decide(&self.principal, &permission).access
    }

    /// 403 where they have the permission for other things than this one.
    pub(crate) fn lacks_for(&self, what: &str) -> ApiError {
        let name = self.permission.name();
        ApiError::not_allowed(format!(
            "{} does not have the permission {name} for {what}: no rule gives it",
            self.principal
        ))
        .with(MISSING, name)
    }

    /// The policy that this request is decided by.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The user's ref.
    pub(crate) fn user_ref(&self) -> Option<String> {
        self.principal.user().map(|user| user.entity_ref.to_string())
    }

    /// Has a plugin that is called for them act for them: it may read what they may, within the limits of the credential
    /// that they use.
    pub(crate) fn acting(&self, catalog: &Catalog) -> Acting {
        catalog_reader::acting(catalog, &self.policy, &self.principal)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let found = parts.extensions.get::<Caller>().cloned();
        found.ok_or_else(|| ApiError::internal(&"a route was added without Routes::add"))
    }
}

/// Whether an access covers an entity, or, without one, everything.
pub(crate) fn covers(access: &Access, entity: Option<&Value>) -> Result<bool> {
    match (access, entity) {
        (Access::All, _) => Ok(true),
        (Access::None, _) | (Access::Where(_), None) => Ok(false),
        (Access::Where(predicate), Some(entity)) => {
            let rows = SearchRows::of(entity).map_err(|error| ApiError::internal(&error))?;
            Ok(predicate.matches(&rows))
        }
    }
}

/// Why a request does not reach its handler.
pub(crate) struct Refused {
    pub(crate) error: ApiError,
    /// Who asked, where that is known.
    pub(crate) caller: Option<Box<Caller>>,
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Refused {
        Refused { error, caller: None }
    }
}

/// Lets a request pass that has the permission, and tells the handler what it covers.
pub(crate) fn admit(app: &App, permission: &Permission, request: &mut Request) -> Result<Caller, Refused> {
    let identified = request.extensions_mut().remove::<Identified>();
    let Identified(identity) =
        identified.ok_or_else(|| ApiError::internal(&"a route is not below the layer that identifies callers"))?;
    let Identity { principal, credential } = identity?;
    let policy = app.policy.get();
    let decision = policy.decide(&principal, permission);
    let permission = permission.clone();
    let caller = Caller { principal, credential, permission, access: decision.access, reason: decision.reason, policy };
    if caller.access == Access::None
        && let Some(error) = refusal(&caller.principal, &caller.permission, &caller.reason)
    {
        return Err(Refused { error, caller: Some(Box::new(caller)) });
    }
    request.extensions_mut().insert(caller.clone());
    Ok(caller)
}

/// What is answered to somebody who lacks a permission; none where what they may not see does not seem to exist.
fn refusal(principal: &Principal, permission: &Permission, reason: &Reason) -> Option<ApiError> {
    match principal {
        Principal::Anonymous => return Some(ApiError::missing_credentials()),
        Principal::Source(source) => {
            return Some(ApiError::not_allowed(format!(
                "the token of the push source {source} is for POST /api/catalog/push/{source} and for nothing else"
            )));
        }
        // A token that is limited is told so, or its owner would look for the fault in the policy.
        Principal::Service(_) | Principal::Plugin(_) => return Some(lacks(principal, permission, reason)),
        Principal::User(user) if !user.scope.allows(permission) => return Some(lacks(principal, permission, reason)),
        Principal::User(_) => {}
    }
    if *permission == Permission::EntityPush {
        return Some(ApiError::not_allowed(
            "entities are pushed with the token that catalog.push of app-config has for the source",
        ));
    }
    (permission.denied() == Denied::Forbidden).then(|| lacks(principal, permission, reason))
}

/// 403, with what is missing and why.
pub(crate) fn lacks(principal: &Principal, permission: &Permission, reason: &Reason) -> ApiError {
    ApiError::not_allowed(format!("{principal} does not have the permission {}: {reason}", permission.name()))
        .with(MISSING, permission.name())
}
