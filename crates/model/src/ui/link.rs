//! Where one may go from here, and who is meant: `link`, `entity-link`, `user-chip`, `avatar`.

use serde::{Deserialize, Serialize};

use super::Text;
use super::builder::node;
use crate::safe_url::SafeUrl;

/// A link out of the portal, or to a path of it.
///
/// ```
/// use callboard_model::safe_url::SafeUrl;
/// use callboard_model::ui::Link;
///
/// let link = Link::new("The console", SafeUrl::parse("https://console.example.com/")?);
/// assert!(SafeUrl::parse("javascript:alert(1)").is_err());
/// # Ok::<(), callboard_model::safe_url::UnsafeUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The words.
    pub text: Text,
    /// Where to.
    pub href: SafeUrl,
}

impl Link {
    /// To a checked URL.
    pub fn new(text: impl Into<Text>, href: SafeUrl) -> Self {
        Self { text: text.into(), href }
    }
}

node!(Link in Link {});

/// A link to an entity's page.
///
/// ```
/// use callboard_model::ui::EntityLink;
///
/// assert_eq!(EntityLink::new("api:default/petstore").text("The pets").entity_ref, "api:default/petstore");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityLink {
    /// `kind:namespace/name`.
    pub entity_ref: String,
    /// The words; the entity's name where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

impl EntityLink {
    /// To this entity.
    pub fn new(entity_ref: impl Into<String>) -> Self {
        Self { entity_ref: entity_ref.into(), text: None }
    }
}

node!(EntityLink in EntityLink { optional text: Text, });

/// A user or a group, with their initials and a link to their page.
///
/// ```
/// use callboard_model::ui::UserChip;
///
/// assert_eq!(UserChip::new("user:default/ada").name("Ada Lovelace").entity_ref, "user:default/ada");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserChip {
    /// `user:namespace/name` or `group:namespace/name`.
    pub entity_ref: String,
    /// What people call them; the entity's name where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
}

impl UserChip {
    /// This user or group.
    pub fn new(entity_ref: impl Into<String>) -> Self {
        Self { entity_ref: entity_ref.into(), name: None }
    }
}

node!(UserChip in UserChip { optional name: Text, });

/// Somebody's initials in a circle, for people who are in no catalog.
///
/// ```
/// use callboard_model::ui::Avatar;
///
/// assert!(Avatar::new("Grace Hopper").large().large);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Avatar {
    /// Whose.
    pub name: Text,
    /// Larger than a line of text.
    #[serde(default)]
    pub large: bool,
}

impl Avatar {
    /// Of somebody of this name.
    pub fn new(name: impl Into<Text>) -> Self {
        Self { name: name.into(), large: false }
    }
}

node!(Avatar in Avatar { flag large, });
