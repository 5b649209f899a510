//! Who in the catalog somebody is that a service knows.

use std::collections::BTreeSet;

use callboard_catalog::{Catalog, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use serde_json::Value;

use super::failure::{Failure, quoted};
use super::profile::Profile;
use crate::config::{Matching, Resolver};

/// Users that are looked at where the catalog's index, which knows no letter case, finds several.
const CANDIDATES: u64 = 100;

/// The longest name of an entity.
const NAME: usize = 63;

/// What a resolver comes to. Anything else that goes wrong ends the sign-in.
enum Found {
    /// This one.
    User(EntityRef),
    /// Nobody; who was looked for, and by which name they may be signed in all the same.
    Nobody { sought: String, name: Option<String> },
}

/// Who somebody is: the first user that a resolver finds.
///
/// # Errors
/// Nobody is meant, or it is not certain who.
pub async fn resolve(catalog: &Catalog, resolvers: &[Resolver], profile: &Profile) -> Result<EntityRef, Failure> {
    let mut sought = Vec::new();
    for resolver in resolvers {
        match look(catalog, resolver, profile).await? {
            Found::User(user) => return Ok(user),
            Found::Nobody { name: Some(name), .. } if resolver.without_user => {
                return stranger(catalog, &name).await;
            }
            Found::Nobody { sought: text, .. } => sought.push(text),
        }
    }
    Err(Failure::NoUser(sought.join(", ")))
}

async fn look(catalog: &Catalog, resolver: &Resolver, profile: &Profile) -> Result<Found, Failure> {
    match &resolver.matching {
        Matching::Username => by_name(catalog, profile.username.as_deref().unwrap_or_default()).await,
        Matching::UserId { annotation } => {
            let id = profile.user_id.as_deref().unwrap_or_default();
            by_annotation(catalog, annotation, id, profile).await
        }
        Matching::Subject { annotation } => by_annotation(catalog, annotation, &profile.subject, profile).await,
        Matching::ProfileEmail | Matching::AnnotatedEmail { .. } | Matching::EmailLocalPart => {
            by_addresses(catalog, resolver, profile).await
        }
    }
}

/// The user with a name, in the default namespace.
async fn by_name(catalog: &Catalog, name: &str) -> Result<Found, Failure> {
    let sought = format!("the name {}", quoted(name));
    let Some(user) = named(name) else { return Ok(Found::Nobody { sought, name: None }) };
    match catalog.by_ref(&Access::All, &user).await? {
        Some(_) => Ok(Found::User(user)),
        None => Ok(Found::Nobody { sought, name: Some(name.to_owned()) }),
    }
}

/// The ref for a name that somebody else made up. It must be one that an entity can have: among all other characters there
/// are some that fall together with letters of ours when they are put into lower case, such as the Kelvin sign.
fn named(name: &str) -> Option<EntityRef> {
    let is_name = name.len() <= NAME
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    is_name.then(|| EntityRef::new("user", "default", name))
}

/// The user whose annotation is exactly this: ids that differ in letter case are of different people.
async fn by_annotation(catalog: &Catalog, annotation: &str, value: &str, profile: &Profile) -> Result<Found, Failure> {
    let sought = format!("the annotation {annotation} {}", quoted(value));
    let of = |entity: &Value| annotated(entity, annotation) == Some(value);
    let users = users(catalog, &format!("metadata.annotations.{annotation}"), value, of).await?;
    only(users, sought, profile.username.as_deref())
}

/// The user with an address that the service verified.
async fn by_addresses(catalog: &Catalog, resolver: &Resolver, profile: &Profile) -> Result<Found, Failure> {
    let verified: Vec<&str> =
        profile.emails.iter().filter(|email| email.is_verified).map(|email| email.address.as_str()).collect();
    if verified.is_empty() {
        return Err(Failure::EmailNotVerified(profile.shown()));
    }
    let listed: Vec<Address<'_>> = verified
        .iter()
        .filter_map(|address| Address::parse(address))
        .filter(|address| resolver.allowed_domains.contains(&address.domain.to_ascii_lowercase()))
        .collect();
    if listed.is_empty() {
        return Err(Failure::DomainNotListed(profile.shown()));
    }
    let mut users = BTreeSet::new();
    for address in &listed {
        match &resolver.matching {
            Matching::EmailLocalPart => {
                if let Found::User(user) = by_name(catalog, address.local).await? {
                    users.insert(user);
                }
            }
            Matching::AnnotatedEmail { annotation } => {
                let of = |entity: &Value, wanted: &str| is_address(annotated(entity, annotation), wanted);
                users.extend(by_address(catalog, &format!("metadata.annotations.{annotation}"), address, of).await?);
            }
            _ => {
                let of = |entity: &Value, wanted: &str| {
                    is_address(entity.pointer("/spec/profile/email").and_then(Value::as_str), wanted)
                };
                users.extend(by_address(catalog, "spec.profile.email", address, of).await?);
            }
        }
    }
    let addresses: Vec<String> = listed.iter().map(|address| quoted(&address.whole())).collect();
    only(users, addresses.join(" or "), listed.first().map(|address| address.local))
}

/// The users with an address, or, where there is none, with the one that is left without `+tag`.
async fn by_address(
    catalog: &Catalog,
    key: &str,
    address: &Address<'_>,
    is: impl Fn(&Value, &str) -> bool,
) -> Result<BTreeSet<EntityRef>, Failure> {
    let whole = address.whole();
    let found = users(catalog, key, &whole, |entity| is(entity, &whole)).await?;
    match address.without_tag() {
        Some(plain) if found.is_empty() => users(catalog, key, &plain, |entity| is(entity, &plain)).await,
        _ => Ok(found),
    }
}

/// The users with a value at a key for whom something holds. The index puts both into lower case, so that it may find more.
async fn users(
    catalog: &Catalog,
    key: &str,
    value: &str,
    holds: impl Fn(&Value) -> bool,
) -> Result<BTreeSet<EntityRef>, Failure> {
    if value.is_empty() {
        return Ok(BTreeSet::new());
    }
    let filter = Predicate::All(vec![Predicate::equals("kind", "user"), Predicate::equals(key, value)]);
    let query = Query { filter: Some(filter), limit: CANDIDATES, total: false, ..Query::default() };
    // Everything is looked through: what somebody may see depends on who they are, not the other way round.
    let page = catalog.query(&Access::All, &query).await?;
    let entities = page.items.iter().filter_map(|document| serde_json::from_str::<Value>(document.get()).ok());
    Ok(entities.filter(|entity| holds(entity)).filter_map(|entity| ref_of(&entity)).collect())
}

/// The one that was found. `name` is what somebody is called who is nobody in the catalog.
fn only(users: BTreeSet<EntityRef>, sought: String, name: Option<&str>) -> Result<Found, Failure> {
    let mut users = users.into_iter();
    match (users.next(), users.next()) {
        (Some(user), None) => Ok(Found::User(user)),
        (None, _) => Ok(Found::Nobody { sought, name: name.map(str::to_owned) }),
        (Some(_), Some(_)) => Err(Failure::Ambiguous(sought)),
    }
}

/// Somebody whom the catalog does not know. The name must not be that of somebody whom it knows, and who is not meant.
async fn stranger(catalog: &Catalog, name: &str) -> Result<EntityRef, Failure> {
    let sought = format!("the name {}", quoted(name));
    let Some(user) = named(name) else { return Err(Failure::NoUser(sought)) };
    match catalog.by_ref(&Access::All, &user).await? {
        Some(_) => Err(Failure::NoUser(format!("{sought}, which is that of somebody else"))),
        None => Ok(user),
    }
}

fn annotated<'e>(entity: &'e Value, annotation: &str) -> Option<&'e str> {
    entity.get("metadata")?.get("annotations")?.get(annotation)?.as_str()
}

/// Letter case does not tell addresses apart, as far as it is that of ASCII: of other letters some fall together.
fn is_address(found: Option<&str>, wanted: &str) -> bool {
    found.is_some_and(|found| found.trim().eq_ignore_ascii_case(wanted))
}

fn ref_of(entity: &Value) -> Option<EntityRef> {
    let metadata = entity.get("metadata")?;
    let namespace = metadata.get("namespace").and_then(Value::as_str).unwrap_or_default();
    Some(EntityRef::new(entity.get("kind")?.as_str()?, namespace, metadata.get("name")?.as_str()?))
}

/// The parts of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address<'a> {
    local: &'a str,
    domain: &'a str,
}

impl<'a> Address<'a> {
    /// What is quoted or has more than one `@` is read in different ways by different people.
    fn parse(text: &'a str) -> Option<Address<'a>> {
        let (local, domain) = text.split_once('@')?;
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '"' | '<' | '>' | ',');
        let is_fine = !local.is_empty() && !domain.is_empty() && local.chars().chain(domain.chars()).all(is_plain);
        is_fine.then_some(Address { local, domain })
    }

    fn whole(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    fn without_tag(&self) -> Option<String> {
        let (name, _) = self.local.split_once('+').filter(|(name, tag)| !name.is_empty() && !tag.is_empty())?;
        Some(format!("{name}@{}", self.domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        fn check(text: &str, expected: Option<(&str, &str)>, without_tag: Option<&str>) {
            let found = Address::parse(text);
            assert_eq!(found.map(|address| (address.local, address.domain)), expected, "{text:?}");
            assert_eq!(found.and_then(|address| address.without_tag()).as_deref(), without_tag, "{text:?}");
        }
        check("ada@example.com", Some(("ada", "example.com")), None);
        check(
            "Ada+portal@example.com",
            Some(("Ada", "example.com")).map(|_| ("Ada+portal", "example.com")),
            Some("Ada@example.com"),
        );
        check("a+b+c@example.com", Some(("a+b+c", "example.com")), Some("a@example.com"));
        check("+b@example.com", Some(("+b", "example.com")), None);
        check("b+@example.com", Some(("b+", "example.com")), None);
        check("example.com", None, None);
        check("@example.com", None, None);
        check("ada@", None, None);
        check("ada@evil.example@example.com", None, None);
        check("\"ada@evil.example\"@example.com", None, None);
        check("ada@example.com\n", None, None);
        check("ada <ada@example.com>", None, None);
        check("", None, None);
    }

    #[test]
    fn names() {
        fn check(name: &str, expected: Option<&str>) {
            assert_eq!(named(name).map(|user| user.to_string()).as_deref(), expected, "{name:?}");
        }
        check("ada", Some("user:default/ada"));
        check("Ada", Some("user:default/ada"));
        check("ada.lovelace-1_2", Some("user:default/ada.lovelace-1_2"));
        // The Kelvin sign, which becomes an ordinary k in lower case, and the Turkish İ.
        check("\u{212a}im", None);
        check("\u{130}da", None);
        check("ad\u{e0}", None);
        check("ada/eve", None);
        check("group:ada", None);
        check("../ada", None);
        check("-ada", None);
        check("ada.", None);
        check("ada ", None);
        check("ada@example.com", None);
        check("", None);
        check(&"a".repeat(64), None);
    }

    #[test]
    fn letter_case_of_addresses() {
        fn check(found: &str, wanted: &str, expected: bool) {
            assert_eq!(is_address(Some(found), wanted), expected, "{found} {wanted}");
        }
        check("Ada@Example.com", "ada@example.com", true);
        check("ada@example.com", "ADA@EXAMPLE.COM", true);
        check("kim@example.com", "\u{212a}im@example.com", false);
        check("stra\u{df}e@example.com", "strasse@example.com", false);
        check("\u{e9}ve@example.com", "\u{c9}ve@example.com", false);
        assert!(!is_address(None, "ada@example.com"));
    }
}
