//! Random policies, users and entities: whatever lists, searches or counts gives what single reads permit, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use callboard_model::filter::{Predicate, SearchRows};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::{TestPortal, until};

const USERS: usize = 24;
const ENTITIES: usize = 40;
const GROUPS: [&str; 3] = ["oak", "elm", "ash"];

/// Words whose case and folds are no accident: `İ`, `ẞ` and the long `ſ` have lower cases of other lengths or letters, and
/// the Kelvin sign is a `k`.
const WORDS: [&str; 10] =
    ["books", "Books", "ÄPFEL", "äpfel", "straẞe", "İstanbul", "ſoap", "\u{212A}elvin", "kelvin", "50%_x"];

fn condition(random: &mut StdRng, depth: usize) -> Value {
    let word = *WORDS.choose(random).unwrap();
    match random.random_range(0..if depth == 0 { 7 } else { 10 }) {
        0 => json!({ "relations.ownedBy": "$me" }),
        1 => json!({ "spec.owner": { "$in": ["$me", "group:default/oak"] } }),
        2 => json!({ "metadata.annotations.example.org/word": word }),
        3 => json!({ "metadata.labels": { "$exists": random.random_bool(0.5) } }),
        4 => json!({ "metadata.tags": { "$in": ["red", "blue"] } }),
        5 => {
            json!({ "metadata.annotations.example.org/word": { "$hasPrefix": word.chars().next().unwrap().to_string() } })
        }
        6 => json!({ "kind": (["Component", "API", "user"].choose(random).unwrap()) }),
        7 => json!({ "$not": condition(random, depth - 1) }),
        8 => json!({ "$any": [condition(random, depth - 1), condition(random, depth - 1)] }),
        _ => json!({ "$all": [condition(random, depth - 1), condition(random, depth - 1)] }),
    }
}

fn entities(random: &mut StdRng) -> String {
    let mut text = String::new();
    for group in GROUPS {
        write!(text, "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {{ name: {group} }}\nspec: {{ type: team, children: [] }}\n").unwrap();
    }
    for number in 0..USERS {
        let groups: Vec<&str> = GROUPS.into_iter().filter(|_| random.random_bool(0.4)).collect();
        write!(
            text,
            "---\napiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {{ name: u{number} }}\nspec: {{ memberOf: {} }}\n",
            json!(groups)
        )
        .unwrap();
    }
    for number in 0..ENTITIES {
        let owner = match random.random_range(0..2) {
            0 => format!("group:{}", GROUPS.choose(random).unwrap().to_uppercase()),
            _ => format!("User:Default/U{}", random.random_range(0..USERS)),
        };
        let annotations = json!({ "example.org/word": WORDS.choose(random).unwrap() });
        let tags: Vec<&str> = ["red", "blue", "green"].into_iter().filter(|_| random.random_bool(0.3)).collect();
        let metadata = json!({ "name": format!("c{number}"), "annotations": annotations, "tags": tags });
        let spec = json!({ "type": "service", "lifecycle": "production", "owner": owner });
        write!(text, "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {metadata}\nspec: {spec}\n")
            .unwrap();
    }
    text
}

/// A rule of their own for everybody, some of them two.
fn config(random: &mut StdRng) -> (Value, BTreeMap<String, Vec<Value>>) {
    let mut rules = vec![json!({ "allow": ["catalog.*.read"], "to": ["user:default/guest"] })];
    let mut conditions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut users = Vec::new();
    for number in 0..USERS {
        let user = format!("user:default/u{number}");
        users.push(json!({ "entityRef": user }));
        for _ in 0..random.random_range(0..3) {
            let condition = condition(random, 2);
            rules.push(json!({ "allow": ["catalog.entity.read"], "to": [user], "where": condition }));
            conditions.entry(user.clone()).or_default().push(condition);
        }
    }
    let config = json!({
        "permission": { "policy": rules },
        "auth": { "providers": { "development": { "users": users } } },
    });
    (config, conditions)
}

fn entity_ref(entity: &Value) -> String {
    let part = |pointer: &str| entity.pointer(pointer).and_then(Value::as_str).unwrap_or("default").to_lowercase();
    format!("{}:{}/{}", part("/kind"), part("/metadata/namespace"), part("/metadata/name"))
}

fn refs(items: &Value) -> BTreeSet<String> {
    let items = items.as_array().unwrap();
    let refs: BTreeSet<String> = items.iter().filter(|item| !item.is_null()).map(entity_ref).collect();
    assert_eq!(refs.len(), items.iter().filter(|item| !item.is_null()).count(), "each once");
    refs
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_is_what_may_be_read() {
    let mut random = StdRng::seed_from_u64(20_261_121);
    let (config, conditions) = config(&mut random);
    let portal = TestPortal::start(&config, &entities(&mut random)).await;
    let guest = portal.signed_in("user:default/guest").await;
    let last = format!("/api/catalog/entities/by-name/component/default/c{}", ENTITIES - 1);
    until(&guest, &last, |entity| !entity["relations"][0].is_null()).await;
    let all = guest.get("/api/catalog/entities").await.json();
    let all = all.as_array().unwrap();
    assert!(all.len() > ENTITIES + USERS, "{}", all.len());
    for number in 0..USERS {
        let name = format!("user:default/u{number}");
        let client = portal.signed_in(&name).await;
        let me = all.iter().find(|entity| entity_ref(entity) == name).unwrap();
        let groups = me["relations"].as_array().unwrap().iter().filter(|relation| relation["type"] == "memberOf");
        let mine: Vec<String> = std::iter::once(name.clone())
            .chain(groups.map(|relation| relation["targetRef"].as_str().unwrap().to_owned()))
            .collect();
        let rules = conditions.get(&name).map(Vec::as_slice).unwrap_or_default();
        let rules: Vec<Predicate> =
            rules.iter().map(|rule| Predicate::from_value(rule).unwrap().with("$me", &mine)).collect();
        let visible: BTreeSet<String> = all
            .iter()
            .filter(|entity| rules.iter().any(|rule| rule.matches(&SearchRows::of(entity).unwrap())))
            .map(entity_ref)
            .collect();
        agree(&client, all, &visible, &format!("{name} with {:?}", conditions.get(&name))).await;
    }
}

/// Every route that shows entities says the same about all of them.
async fn agree(client: &Client, all: &[Value], visible: &BTreeSet<String>, who: &str) {
    let names: Vec<String> = all.iter().map(entity_ref).collect();
    let mut read = BTreeSet::new();
    for entity in all {
        let name = entity_ref(entity);
        let by_name = client.get(&format!("/api/catalog/entities/by-name/{}", name.replace(':', "/"))).await.status;
        let uid = entity["metadata"]["uid"].as_str().unwrap();
        let by_uid = client.get(&format!("/api/catalog/entities/by-uid/{uid}")).await.status;
        let freshness = client.get(&format!("/api/catalog/entities/by-uid/{uid}/freshness")).await.status;
        assert_eq!((by_name, by_name), (by_uid, freshness), "{name}: {who}");
        if by_name == 200 {
            read.insert(name);
        }
    }
    assert_eq!(&read, visible, "single reads and the predicate: {who}");
    assert_eq!(&refs(&client.get("/api/catalog/entities").await.json()), visible, "{who}");
    assert_eq!(&refs(&client.get("/api/catalog/entities?limit=500").await.json()), visible, "{who}");
    let by_refs = client.post("/api/catalog/entities/by-refs", &json!({ "entityRefs": names })).await.json();
    assert_eq!(&refs(&by_refs["items"]), visible, "{who}");
    let post = client.post("/api/catalog/entities/by-query", &json!({ "limit": 500 })).await.json();
    assert_eq!((&refs(&post["items"]), &post["totalItems"]), (visible, &json!(visible.len())), "{who}");

    // In pages, in an order, forwards; counted on each.
    let (mut paged, mut query) = (BTreeSet::new(), "orderField=metadata.name&limit=7".to_owned());
    loop {
        let page = client.get(&format!("/api/catalog/entities/by-query?{query}")).await.json();
        assert_eq!(page["totalItems"], visible.len(), "{who}");
        paged.extend(refs(&page["items"]));
        let Some(cursor) = page["pageInfo"]["nextCursor"].as_str() else { break };
        query = format!("cursor={cursor}&limit=7");
    }
    assert_eq!(&paged, visible, "{who}");

    // Text that all components have, and one word of one of them.
    let found = client
        .get("/api/catalog/entities/by-query?fullTextFilterTerm=service&fullTextFilterFields=spec.type&limit=500")
        .await;
    let found = found.json();
    let components: BTreeSet<String> =
        visible.iter().filter(|name| name.starts_with("component:default/c")).cloned().collect();
    let services: BTreeSet<String> =
        refs(&found["items"]).into_iter().filter(|name| name.starts_with("component:default/c")).collect();
    assert_eq!(services, components, "{who}");
    assert_eq!(found["totalItems"], refs(&found["items"]).len(), "{who}");

    for facet in ["kind", "metadata.annotations.example.org/word", "spec.owner", "relations.ownedBy", "metadata.tags"] {
        let rows = |entity: &Value| callboard_model::filter::search_rows(entity).unwrap();
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for entity in all.iter().filter(|entity| visible.contains(&entity_ref(entity))) {
            let of_facet = rows(entity).into_iter().filter(|row| row.key == facet.to_lowercase());
            of_facet.filter_map(|row| row.original).for_each(|value| *expected.entry(value).or_default() += 1);
        }
        for answer in [
            client.get(&format!("/api/catalog/entity-facets?facet={facet}")).await.json(),
            client.post("/api/catalog/entity-facets", &json!({ "facets": [facet] })).await.json(),
        ] {
            let found = answer["facets"][facet].as_array().unwrap().iter();
            let found: BTreeMap<String, u64> =
                found.map(|one| (one["value"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap())).collect();
            assert_eq!(found, expected, "{facet}: {who}");
        }
    }

    // What clients of Backstage ask, and what the policy explains.
    let permission = json!({ "type": "resource", "name": "catalog.entity.read", "attributes": { "action": "read" }, "resourceType": "catalog-entity" });
    let items = json!([{ "id": "all", "permission": permission, "resourceRef": names }]);
    let answer = client.post("/api/permission/authorize", &json!({ "items": items })).await.json();
    let allowed: BTreeSet<String> = names
        .iter()
        .zip(answer["items"][0]["result"].as_array().unwrap())
        .filter(|(_, result)| **result == "ALLOW")
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(&allowed, visible, "{who}");
    for name in visible.iter().take(3) {
        let query = format!("permission=catalog.entity.read&entityRef={name}");
        let explained = client.get(&format!("/api/permission/explain?{query}")).await.json();
        assert_eq!(explained["allowed"], true, "{name}: {who}");
    }
}
