//! A user as the catalog has them.

use callboard_catalog::Catalog;
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use serde_json::Value;

use super::principal::User;
use crate::policy::Scope;

/// A user as the catalog has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub entity_ref: EntityRef,
    /// `spec.profile.displayName`, or else the title.
    pub display_name: Option<String>,
    /// `spec.profile.email`.
    pub email: Option<String>,
    /// `spec.profile.picture`.
    pub picture: Option<String>,
    /// The groups that they are members of.
    pub groups: Vec<EntityRef>,
}

impl Person {
    /// Looks one up. Everything is looked through: what somebody may see depends on who they are, not the other way round.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn find(catalog: &Catalog, entity_ref: &EntityRef) -> Result<Option<Person>, callboard_catalog::Error> {
        let Some(entity) = catalog.by_ref(&Access::All, entity_ref).await? else { return Ok(None) };
        let entity: Value = serde_json::from_str(entity.get()).unwrap_or_default();
        let text = |pointer: &str| {
            let text = entity.pointer(pointer).and_then(Value::as_str).map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Ok(Some(Person {
            entity_ref: entity_ref.clone(),
            display_name: text("/spec/profile/displayName").or_else(|| text("/metadata/title")),
            email: text("/spec/profile/email"),
            picture: text("/spec/profile/picture"),
            groups: groups_of(&entity),
        }))
    }

    /// The same as whoever asks. `called` is for where the catalog has no name for people.
    #[must_use]
    pub fn into_user(self, called: &str) -> User {
        User {
            display_name: self.display_name.unwrap_or_else(|| called.to_owned()),
            ownership: std::iter::once(self.entity_ref.clone()).chain(self.groups).collect(),
            entity_ref: self.entity_ref,
            scope: Scope::unlimited(),
        }
    }
}

/// The groups that an entity of the catalog says it is a member of, each once. Those that these are part of do not count.
#[must_use]
pub fn groups_of(user: &Value) -> Vec<EntityRef> {
    let relations = user.get("relations").and_then(Value::as_array).into_iter().flatten();
    let targets = relations
        .filter(|relation| relation.get("type").and_then(Value::as_str) == Some("memberOf"))
        .filter_map(|relation| relation.get("targetRef").and_then(Value::as_str));
    let mut groups = Vec::new();
    for group in targets.filter_map(|target| EntityRef::parse(target, None, None).ok()) {
        if group.kind() == "group" && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups() {
        let relation = |kind: &str, target: &str| json!({ "type": kind, "targetRef": target });
        let user = json!({ "relations": [
            relation("memberOf", "group:default/readers"),
            relation("memberOf", "group:Default/Readers"),
            relation("memberOf", "component:default/lamp"),
            relation("ownerOf", "group:default/owned"),
            relation("memberOf", "group:other/writers"),
            json!({ "type": "memberOf" }),
        ]});
        let groups: Vec<String> = groups_of(&user).iter().map(ToString::to_string).collect();
        assert_eq!(groups, ["group:default/readers", "group:other/writers"]);
        assert_eq!(groups_of(&json!({})), []);
    }
}
