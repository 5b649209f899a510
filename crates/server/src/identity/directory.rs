//! The ways to sign in that need no proof: the guest, and the users for development.

use callboard_catalog::Catalog;
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use serde_json::Value;

use super::principal::User;
use crate::config;
use crate::policy::Scope;

/// Everybody who may be chosen at sign-in.
#[derive(Clone, Debug)]
pub struct Directory {
    choices: Vec<Choice>,
}

/// Somebody to sign in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Who it is.
    pub entity_ref: EntityRef,
    /// For people.
    pub display_name: String,
    /// Whether this is the guest.
    pub guest: bool,
    /// Refs that count as theirs, beyond what the catalog says.
    pub ownership: Vec<EntityRef>,
}

impl Directory {
    /// The ways to sign in that app-config names: users for development first, the guest last.
    #[must_use]
    pub fn new(auth: &config::Auth) -> Directory {
        let users = auth.development_users.iter().map(|user| Choice {
            entity_ref: user.entity_ref.clone(),
            display_name: user.display_name.clone().unwrap_or_else(|| user.entity_ref.name().to_owned()),
            guest: false,
            ownership: Vec::new(),
        });
        let guest = auth.guest.iter().map(|guest| Choice {
            entity_ref: guest.user_entity_ref.clone(),
            display_name: "Guest".to_owned(),
            guest: true,
            ownership: guest.ownership_entity_refs.clone(),
        });
        Directory { choices: users.chain(guest).collect() }
    }

    /// All of them.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The one with this ref, if it still is one.
    #[must_use]
    pub fn choice(&self, entity_ref: &EntityRef) -> Option<&Choice> {
        self.choices.iter().find(|choice| &choice.entity_ref == entity_ref)
    }

    /// The one with this ref, as a request has it.
    #[must_use]
    pub fn named(&self, entity_ref: &str) -> Option<&Choice> {
        let entity_ref = EntityRef::parse(entity_ref, Some("user"), None).ok()?;
        self.choice(&entity_ref)
    }

    /// The user behind a choice. With `groups` the catalog is asked which groups they are in.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn user(
        &self,
        choice: &Choice,
        catalog: &Catalog,
        groups: bool,
    ) -> Result<User, callboard_catalog::Error> {
        let mut ownership = vec![choice.entity_ref.clone()];
        ownership.extend(choice.ownership.iter().cloned());
        if groups {
            // Membership is looked up whole: what somebody may see depends on it, not the other way round.
            if let Some(entity) = catalog.by_ref(&Access::All, &choice.entity_ref).await? {
                let entity: Value = serde_json::from_str(entity.get()).unwrap_or_default();
                ownership.extend(groups_of(&entity));
            }
        }
        Ok(User {
            entity_ref: choice.entity_ref.clone(),
            display_name: choice.display_name.clone(),
            ownership,
            scope: Scope::unlimited(),
        })
    }
}

/// The groups that an entity of the catalog says it is a member of.
#[must_use]
pub fn groups_of(user: &Value) -> Vec<EntityRef> {
    let relations = user.get("relations").and_then(Value::as_array).into_iter().flatten();
    let targets = relations
        .filter(|relation| relation.get("type").and_then(Value::as_str) == Some("memberOf"))
        .filter_map(|relation| relation.get("targetRef").and_then(Value::as_str));
    targets.filter_map(|target| EntityRef::parse(target, None, None).ok()).collect()
}
