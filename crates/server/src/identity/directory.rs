//! The ways to sign in that need no proof: the guest, and the users for development.

use callboard_catalog::Catalog;
use callboard_model::entity_ref::EntityRef;

use super::person::Person;
pub use super::person::groups_of;
use super::principal::User;
use crate::config;
use crate::policy::Scope;

/// The guest's key in `auth.providers`.
pub const GUEST: &str = "guest";

/// The key of the users for development.
pub const DEVELOPMENT: &str = "development";

/// Everybody who may be chosen at sign-in.
#[derive(Clone, Debug)]
pub struct Directory {
    choices: Vec<Choice>,
    is_guest_refused: bool,
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

impl Choice {
    /// The key in `auth.providers` of the block that names them.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        if self.guest { GUEST } else { DEVELOPMENT }
    }
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
        Directory { choices: users.chain(guest).collect(), is_guest_refused: auth.is_guest_refused }
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

    /// The one with this ref who signed in this way, if it still is one.
    #[must_use]
    pub fn signed_in(&self, entity_ref: &EntityRef, provider: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| &choice.entity_ref == entity_ref && choice.provider() == provider)
    }

    /// The guest.
    #[must_use]
    pub fn guest(&self) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.guest)
    }

    /// Whether a guest is configured, and may not sign in because of the environment.
    #[must_use]
    pub fn is_guest_refused(&self) -> bool {
        self.is_guest_refused
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
            ownership.extend(Person::find(catalog, &choice.entity_ref).await?.into_iter().flat_map(|user| user.groups));
        }
        Ok(User {
            entity_ref: choice.entity_ref.clone(),
            display_name: choice.display_name.clone(),
            ownership,
            scope: Scope::unlimited(),
        })
    }
}
