//! Every route of the API's description against six people. What each is answered stands in `routes.txt`; a route that is
//! added appears there, so that nobody overlooks who reaches it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::portal::TestPortal;

const GOLDEN: &str = "tests/http/routes.txt";

/// Who walks: nobody, the guest, somebody who owns something else, somebody who owns what is asked about, an admin, and
/// the owner's token that is limited to reading the catalog.
const PEOPLE: [&str; 6] = ["anonymous", "guest", "other", "owner", "admin", "token"];

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

struct Person {
    client: Client,
    bearer: Option<String>,
}

impl Person {
    async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let origin = self.client.base.origin().ascii_serialization();
        let mut headers = vec![("Origin", origin.as_str()), ("Content-Type", "application/json")];
        headers.extend(self.bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        self.client.send(method, path, &headers, body.as_bytes()).await
    }
}

/// The default policy, and an admin.
fn config() -> Value {
    json!({
        "permission": { "roles": { "admin": ["user:default/root"] } },
        "auth": { "providers": { "development": { "users": [
            { "entityRef": "user:default/ada" }, { "entityRef": "user:default/bob" }, { "entityRef": "user:default/root" },
        ] } } },
        "catalog": { "push": { "ci": { "token": "0123456789abcdef0123456789abcdef" } } },
    })
}

/// One for each, so that what one of them deletes is there for the next.
fn entities() -> String {
    PEOPLE
        .map(|name| {
            format!(
                "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{ name: walk-{name} }}\n\
         spec: {{ type: service, lifecycle: production, owner: readers }}\n"
            )
        })
        .concat()
}

async fn person(portal: &TestPortal, name: &str) -> Person {
    let user = match name {
        "anonymous" => return Person { client: portal.anonymous(), bearer: None },
        "guest" => "user:default/guest",
        "other" => "user:default/bob",
        "admin" => "user:default/root",
        _ => "user:default/ada",
    };
    let client = portal.signed_in(user).await;
    if name != "token" {
        return Person { client, bearer: None };
    }
    let wish = json!({ "name": "walk", "scope": ["catalog.*.read"], "days": 1 });
    let made = client.post("/api/auth/tokens", &wish).await.json();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    Person { client: portal.anonymous(), bearer: Some(bearer) }
}

/// A route's URL, about the person's own entity where it is about one.
fn url(path: &str, name: &str, uid: &str) -> String {
    let values = [
        ("{kind}", "component"),
        ("{namespace}", "default"),
        ("{name}", &format!("walk-{name}")),
        ("{uid}", uid),
        ("{source}", "ci"),
    ];
    let filled = values.iter().fold(path.to_owned(), |path, (param, value)| path.replace(param, value));
    let parts: Vec<&str> = filled.split('/').map(|part| if part.starts_with('{') { "none" } else { part }).collect();
    parts.join("/")
}

fn body(path: &str, name: &str) -> Value {
    let entity_ref = format!("component:default/walk-{name}");
    match path {
        "/api/catalog/refresh" => json!({ "entityRef": entity_ref }),
        "/api/catalog/entities/by-refs" => json!({ "entityRefs": [entity_ref] }),
        "/api/permission/authorize" => json!({ "items": [] }),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_against_six_people() {
    let portal = TestPortal::start(&config(), &entities()).await;
    let guest = portal.signed_in("user:default/guest").await;
    let mut uids = Vec::new();
    for name in PEOPLE {
        let path = format!("/api/catalog/entities/by-name/component/default/walk-{name}");
        crate::portal::until(&guest, &path, |entity| !entity["relations"][0].is_null()).await;
        uids.push(guest.get(&path).await.json()["metadata"]["uid"].as_str().unwrap().to_owned());
    }
    let description = guest.get("/api/openapi.json").await.json();
    let mut people = Vec::new();
    for name in PEOPLE {
        people.push(person(&portal, name).await);
    }
    // What deletes comes last, so that everything else meets what it is about.
    let (mut operations, mut lines) = (Vec::new(), BTreeMap::new());
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in METHODS {
            operations.extend(item.get(method).map(|operation| (method, path.as_str(), operation)));
        }
    }
    operations.sort_by_key(|(method, ..)| *method == "delete");
    for (method, path, operation) in operations {
        let permission = operation["x-permission"].as_str().expect("every route says what it needs");
        let mut line = format!("{:<72}{permission:<40}", format!("{} {path}", method.to_uppercase()));
        for (index, name) in PEOPLE.iter().enumerate() {
            let body = if method == "get" { String::new() } else { body(path, name).to_string() };
            let url = url(path, name, &uids[index]);
            let answer = people[index].ask(&method.to_uppercase(), &url, &body).await;
            assert!(answer.status < 500 || answer.status == 501, "{method} {url} by {name}: {}", answer.text());
            write!(line, "{:<10}", answer.status).unwrap();
            // Whoever signed out comes back.
            if method != "get" && (path.contains("session") || path.contains("logout")) {
                people[index] = person(&portal, name).await;
            }
        }
        lines.insert((path, METHODS.iter().position(|known| *known == method)), line);
    }
    let mut table = format!("{:<72}{:<40}{}\n", "", "permission", PEOPLE.map(|name| format!("{name:<10}")).concat());
    for line in lines.values() {
        table.push_str(line.trim_end());
        table.push('\n');
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&golden, &table).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    for (found, expected) in table.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "{GOLDEN}: run the test with UPDATE_SNAPSHOTS=1 and read what changed");
    }
    assert_eq!(table.lines().count(), expected.lines().count(), "{GOLDEN} has other routes: UPDATE_SNAPSHOTS=1");
}
