//! Who in the catalog somebody is that a service knows: letter case, folds of Unicode, and two of a kind.

use callboard::config::{Matching, Resolver};
use callboard::identity::sign_in::profile::{Email, Profile};
use callboard::identity::sign_in::resolver::resolve;
use callboard_catalog::Catalog;
use callboard_egress::Egress;
use serde_json::json;

use crate::portal::TestPortal;

const USERS: &str = r#"
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: kim, annotations: { example.org/id: abc } }
spec: { memberOf: [], profile: { email: kim@example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: kay, annotations: { example.org/id: ABC } }
spec: { memberOf: [], profile: { email: Kay@Example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: tag }
spec: { memberOf: [], profile: { email: tag+own@example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: twin-one, annotations: { example.org/id: twin } }
spec: { memberOf: [], profile: { email: twin@example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: twin-two, annotations: { example.org/id: twin } }
spec: { memberOf: [], profile: { email: twin@example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: far, namespace: other }
spec: { memberOf: [], profile: { email: far@example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: thing, annotations: { example.org/id: thing } }
spec: { type: service, lifecycle: production, owner: readers, profile: { email: thing@example.com } }
"#;

fn by(matching: Matching) -> Resolver {
    Resolver { matching, allowed_domains: vec!["example.com".to_owned()], without_user: false }
}

fn by_subject() -> Resolver {
    by(Matching::Subject { annotation: "example.org/id".to_owned() })
}

fn strangers_too(resolver: Resolver) -> Resolver {
    Resolver { without_user: true, ..resolver }
}

fn called(username: &str) -> Profile {
    Profile { subject: "s".to_owned(), username: Some(username.to_owned()), ..Profile::default() }
}

fn with_subject(subject: &str) -> Profile {
    Profile { subject: subject.to_owned(), ..Profile::default() }
}

fn with_addresses(addresses: &[(&str, bool)]) -> Profile {
    let emails = addresses
        .iter()
        .map(|(address, is_verified)| Email { address: (*address).to_owned(), is_verified: *is_verified });
    Profile { subject: "s".to_owned(), emails: emails.collect(), ..Profile::default() }
}

fn at(address: &str) -> Profile {
    with_addresses(&[(address, true)])
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_who() {
    let portal = TestPortal::start_lasting(&json!({}), USERS).await;
    portal.until_entity("user/other/far").await;
    portal.until_entity("component/default/thing").await;
    let egress = Egress::new(callboard_egress::Settings::default()).unwrap();
    let catalog = Catalog::open(portal.database().await, egress.reader(), portal.catalog_settings()).await.unwrap();
    let check = async |resolvers: &[Resolver], profile: &Profile, expected: Result<&str, &str>| {
        let found = resolve(&catalog, resolvers, profile).await;
        let found = found.map(|user| user.to_string()).map_err(|failure| failure.code().code());
        assert_eq!(found.as_deref().map_err(|code| *code), expected, "{resolvers:?} {profile:?}");
    };
    let name = [by(Matching::Username)];
    check(&name, &called("kim"), Ok("user:default/kim")).await;
    check(&name, &called("KIM"), Ok("user:default/kim")).await;
    check(&name, &called("\u{212a}im"), Err("no-user")).await;
    check(&name, &called("k\u{131}m"), Err("no-user")).await;
    check(&name, &called("far"), Err("no-user")).await;
    check(&name, &called("other/far"), Err("no-user")).await;
    check(&name, &called("thing"), Err("no-user")).await;
    check(&name, &called(""), Err("no-user")).await;
    check(&name, &with_subject("kim"), Err("no-user")).await;

    let subject = [by_subject()];
    check(&subject, &with_subject("abc"), Ok("user:default/kim")).await;
    check(&subject, &with_subject("ABC"), Ok("user:default/kay")).await;
    check(&subject, &with_subject("aBc"), Err("no-user")).await;
    check(&subject, &with_subject("ab"), Err("no-user")).await;
    check(&subject, &with_subject("twin"), Err("ambiguous-user")).await;
    check(&subject, &with_subject("thing"), Err("no-user")).await;
    let id = [by(Matching::UserId { annotation: "example.org/id".to_owned() })];
    check(&id, &Profile { user_id: Some("abc".to_owned()), ..with_subject("x") }, Ok("user:default/kim")).await;
    check(&id, &with_subject("abc"), Err("no-user")).await;

    let email = [by(Matching::ProfileEmail)];
    check(&email, &at("kim@example.com"), Ok("user:default/kim")).await;
    check(&email, &at("KIM@EXAMPLE.COM"), Ok("user:default/kim")).await;
    check(&email, &at("kay@example.com"), Ok("user:default/kay")).await;
    check(&email, &at("far@example.com"), Ok("user:other/far")).await;
    check(&email, &at("kim+portal@example.com"), Ok("user:default/kim")).await;
    check(&email, &at("tag+own@example.com"), Ok("user:default/tag")).await;
    check(&email, &at("tag@example.com"), Err("no-user")).await;
    check(&email, &at("\u{212a}im@example.com"), Err("no-user")).await;
    check(&email, &at("thing@example.com"), Err("no-user")).await;
    check(&email, &at("twin@example.com"), Err("ambiguous-user")).await;
    check(&email, &at("nobody@example.com"), Err("no-user")).await;
    check(&email, &at("kim@example.com.evil.example"), Err("domain-not-listed")).await;
    check(&email, &at("kim@sub.example.com"), Err("domain-not-listed")).await;
    check(&email, &at("kim@evil.example@example.com"), Err("domain-not-listed")).await;
    check(&email, &at("\"kim@example.com\"@evil.example"), Err("domain-not-listed")).await;
    check(&email, &at("kim@exampl\u{ff45}.com"), Err("domain-not-listed")).await;
    check(&email, &at("kim"), Err("domain-not-listed")).await;
    check(&email, &with_addresses(&[("kim@example.com", false)]), Err("email-not-verified")).await;
    check(&email, &with_addresses(&[]), Err("email-not-verified")).await;
    // Of several addresses, as GitHub has them, those count that are verified and listed.
    let private = ("kim@private.example", true);
    check(&email, &with_addresses(&[private, ("kim@example.com", true)]), Ok("user:default/kim")).await;
    check(&email, &with_addresses(&[private, ("kim@example.com", false)]), Err("domain-not-listed")).await;
    check(&email, &with_addresses(&[("kim@example.com", true), ("kim+b@example.com", true)]), Ok("user:default/kim"))
        .await;
    check(&email, &with_addresses(&[("kim@example.com", true), ("kay@example.com", true)]), Err("ambiguous-user"))
        .await;

    let local = [by(Matching::EmailLocalPart)];
    check(&local, &at("kim@example.com"), Ok("user:default/kim")).await;
    check(&local, &at("kim@evil.example"), Err("domain-not-listed")).await;
    check(&local, &at("kim+b@example.com"), Err("no-user")).await;
    check(&local, &at("\u{212a}im@example.com"), Err("no-user")).await;
    let none = [Resolver { allowed_domains: Vec::new(), ..by(Matching::EmailLocalPart) }];
    check(&none, &at("kim@example.com"), Err("domain-not-listed")).await;

    // Nobody found: the next one is asked. Anything else that is wrong ends it.
    let both = [by_subject(), by(Matching::ProfileEmail)];
    let profile = |subject: &str, address: &str| Profile { subject: subject.to_owned(), ..at(address) };
    check(&both, &profile("unknown", "kim@example.com"), Ok("user:default/kim")).await;
    check(&both, &profile("abc", "kay@example.com"), Ok("user:default/kim")).await;
    check(&both, &profile("twin", "kim@example.com"), Err("ambiguous-user")).await;
    check(&[by(Matching::ProfileEmail), by_subject()], &profile("abc", "kim@evil.example"), Err("domain-not-listed"))
        .await;
    check(&[], &called("kim"), Err("no-user")).await;

    // Whom the catalog does not know is never taken for somebody whom it knows.
    check(&[strangers_too(by(Matching::Username))], &called("Nobody"), Ok("user:default/nobody")).await;
    check(&[strangers_too(by(Matching::Username))], &called("no/body"), Err("no-user")).await;
    check(&[strangers_too(by(Matching::Username))], &called("\u{212a}im"), Err("no-user")).await;
    check(&[strangers_too(by(Matching::ProfileEmail))], &at("nobody@example.com"), Ok("user:default/nobody")).await;
    check(&[strangers_too(by(Matching::ProfileEmail))], &at("ada@example.com"), Err("no-user")).await;
    check(&[strangers_too(by(Matching::ProfileEmail))], &at("nobody@evil.example"), Err("domain-not-listed")).await;
    check(&[strangers_too(by_subject())], &Profile { subject: "x".to_owned(), ..called("ada") }, Err("no-user")).await;
}
