//! Who signed in, who signed out, and who was turned away, at a door or at a webhook: it needs no permission, and is
//! recorded all the same.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use callboard_model::entity_ref::EntityRef;

use super::{asked, unrecorded};
use crate::audit::{Begun, Entry};
use crate::http::error::Result;
use crate::http::state::App;

/// What takes the place of a permission's name.
const IN: &str = "sign-in";
const OUT: &str = "sign-out";
const WEBHOOK: &str = "webhook";

/// What a request says of itself, for a handler that records what becomes of it.
pub(crate) struct Asked(Entry);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(Asked(asked(parts)))
    }
}

impl Asked {
    /// Somebody has shown who they are. No session begins unless this is recorded.
    pub(crate) async fn signs_in(self, app: &App, user: &EntityRef, provider: &str) -> Result<Begun> {
        self.allowed(app, IN, user, provider).await
    }

    /// Somebody ends their session.
    pub(crate) async fn signs_out(self, app: &App, user: &EntityRef, provider: &str) -> Result<Begun> {
        self.allowed(app, OUT, user, provider).await
    }

    /// Somebody did not show who they are, or is nobody whom the portal knows.
    pub(crate) fn turned_away(self, app: &App, provider: &str, why: &str) {
        let rule = why.to_owned();
        app.audit.denied(Entry { permission: IN.to_owned(), resource: Some(provider.to_owned()), rule, ..self.0 });
    }

    /// Somebody sent to a webhook and did not show that they are its sender.
    pub(crate) fn unsigned(self, app: &App, topic: &str, why: &str) {
        let rule = why.to_owned();
        app.audit.denied(Entry { permission: WEBHOOK.to_owned(), resource: Some(topic.to_owned()), rule, ..self.0 });
    }

    async fn allowed(self, app: &App, what: &str, user: &EntityRef, provider: &str) -> Result<Begun> {
        let entry = Entry {
            actor: user.to_string(),
            credential: "session".to_owned(),
            permission: what.to_owned(),
            resource: Some(provider.to_owned()),
            rule: format!("auth.providers.{provider}"),
            ..self.0
        };
        app.audit.allowed(entry).await.map_err(|error| unrecorded(&error))
    }
}
