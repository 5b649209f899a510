//! Pages: cursors of every route that has them, what they are bound to, orders, limits and counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::{TestPortal, until};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Books: `b0` to `b4` have a rank, two of them the same; `b5` has none.
fn entities() -> String {
    let book = |number: usize, rank: &str| {
        format!(
            "---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {{ name: b{number} }}\nspec: {{ type: \
             book, owner: readers, {rank} }}\n"
        )
    };
    let ranks = ["rank: d", "rank: B", "rank: b", "rank: a", "rank: c, shelf: x", "shelf: y"];
    ranks.iter().enumerate().map(|(number, rank)| book(number, rank)).collect()
}

async fn portal() -> (TestPortal, Client) {
    let config = json!({
        "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] },
        "catalog": {
            "push": { "ci": { "token": TOKEN } },
            "rules": [{ "allow": ["Component", "API", "Group", "User", "Location", "Resource"] }],
        },
    });
    let portal = TestPortal::start_lasting(&config, &entities()).await;
    let client = ready(&portal).await;
    (portal, client)
}

async fn ready(portal: &TestPortal) -> Client {
    let client = portal.signed_in("user:default/guest").await;
    until(&client, "/api/catalog/entities/by-query?filter=kind=resource", |page| page["totalItems"] == 6).await;
    client
}

fn names(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn decoded(cursor: &Value) -> Value {
    serde_json::from_slice(&STANDARD.decode(cursor.as_str().unwrap()).unwrap()).unwrap()
}

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(&format!("/api/catalog{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

async fn post(client: &Client, path: &str, body: &Value) -> Value {
    let answer = client.post(&format!("/api/catalog{path}"), body).await;
    assert!(answer.status < 300, "{path} {body}: {}", answer.text());
    answer.json()
}

/// What somebody has kept goes on after the portal was started anew.
#[tokio::test(flavor = "multi_thread")]
async fn cursors_survive_a_restart() {
    let (portal, client) = portal().await;
    for name in ["x", "y"] {
        let target = format!("https://nowhere.invalid/{name}.yaml");
        post(&client, "/locations?onConflict=refresh", &json!({ "type": "url", "target": target })).await;
    }
    let by = "filter=kind=resource&orderField=spec.rank,desc&fullTextFilterTerm=b&fullTextFilterFields=metadata.name";
    let first = get(&client, &format!("/entities/by-query?{by}&limit=2")).await;
    assert_eq!((names(&first["items"]), &first["totalItems"]), (vec!["b0", "b4"], &json!(5)));
    let unsorted = post(&client, "/entities/by-query", &json!({ "query": { "kind": "resource" }, "limit": 4 })).await;
    let listed = client.get("/api/catalog/entities?filter=kind=resource&order=asc:spec.rank&limit=4").await;
    let link = listed.header("link").unwrap().to_owned();
    let locations = post(&client, "/locations/by-query", &json!({ "limit": 1 })).await;
    let all = post(&client, "/locations/by-query", &json!({})).await;

    let portal = portal.restart().await;
    let client = ready(&portal).await;
    let cursor = first["pageInfo"]["nextCursor"].as_str().unwrap();
    let second = get(&client, &format!("/entities/by-query?limit=2&cursor={}", encoded(cursor))).await;
    assert_eq!(second["totalItems"], 5);
    let mut same = names(&second["items"]);
    same.sort_unstable();
    assert_eq!(same, ["b1", "b2"], "they have the same rank");
    let cursor = &second["pageInfo"]["nextCursor"];
    let third = post(&client, "/entities/by-query", &json!({ "cursor": cursor, "limit": 2 })).await;
    assert_eq!(names(&third["items"]), ["b3"]);
    assert_eq!(third["pageInfo"].get("nextCursor"), None);
    let body = json!({ "cursor": third["pageInfo"]["prevCursor"], "limit": 2 });
    assert_eq!(post(&client, "/entities/by-query", &body).await["items"], second["items"]);

    let cursor = &unsorted["pageInfo"]["nextCursor"];
    let rest = post(&client, "/entities/by-query", &json!({ "cursor": cursor })).await;
    let mut every: Vec<&str> = [names(&unsorted["items"]), names(&rest["items"])].concat();
    every.sort_unstable();
    assert_eq!(every, ["b0", "b1", "b2", "b3", "b4", "b5"]);

    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    assert_eq!(names(&get(&client, next).await), ["b0", "b5"]);
    let cursor = &locations["pageInfo"]["nextCursor"];
    let rest = post(&client, "/locations/by-query", &json!({ "cursor": cursor })).await;
    assert_eq!(rest["items"], json!([all["items"][1]]));
}

/// What a cursor is of is in it: what is asked beside it changes nothing, but for how much is shown.
#[tokio::test(flavor = "multi_thread")]
async fn cursors_are_bound_to_their_query() {
    let (_portal, client) = portal().await;
    let first = get(&client, "/entities/by-query?filter=kind=resource&orderField=spec.rank&limit=1").await;
    assert_eq!(names(&first["items"]), ["b3"]);
    let cursor = first["pageInfo"]["nextCursor"].as_str().unwrap();
    let path = format!("/entities/by-query?cursor={}", encoded(cursor));
    let expected = get(&client, &path).await;
    assert_eq!(names(&expected["items"]).len(), 4);
    for other in [
        "filter=kind=user",
        "orderField=metadata.name,desc",
        "fullTextFilterTerm=nothing&fullTextFilterFields=metadata.name",
        "offset=3",
    ] {
        assert_eq!(get(&client, &format!("{path}&{other}")).await, expected, "{other}");
    }
    for other in [
        json!({ "query": { "kind": "user" } }),
        json!({ "orderBy": [{ "field": "metadata.name", "order": "desc" }] }),
        json!({ "fullTextFilter": { "term": "nothing", "fields": ["metadata.name"] } }),
        json!({ "offset": 3 }),
    ] {
        let mut body = json!({ "cursor": cursor });
        body.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        assert_eq!(post(&client, "/entities/by-query", &body).await, expected, "{other}");
    }
    let less = get(&client, &format!("{path}&limit=1&fields=kind,spec.rank")).await;
    let rank = expected["items"][0]["spec"]["rank"].clone();
    assert_eq!(less["items"], json!([{ "kind": "Resource", "spec": { "rank": rank } }]));
    assert_eq!(get(&client, &format!("{path}&totalItems=exclude")).await["totalItems"], 0);

    // A list of locations is bound to its query in the same way.
    for name in ["x", "y", "z"] {
        let target = format!("https://nowhere.invalid/{name}.yaml");
        post(&client, "/locations", &json!({ "type": "url", "target": target })).await;
    }
    let query = json!({ "query": { "target": { "$in": ["https://nowhere.invalid/x.yaml", "https://NOWHERE.invalid/z.yaml"] } } });
    let both = post(&client, "/locations/by-query", &query).await;
    assert_eq!(both["totalItems"], 2);
    let mut body = query.clone();
    body["limit"] = json!(1);
    let first = post(&client, "/locations/by-query", &body).await;
    let cursor = &first["pageInfo"]["nextCursor"];
    let body = json!({ "cursor": cursor, "query": { "id": "none" } });
    let second = post(&client, "/locations/by-query", &body).await;
    assert_eq!((&second["items"], &second["totalItems"]), (&json!([both["items"][1]]), &json!(2)));
    let keys = decoded(cursor);
    assert_eq!(
        (&keys["limit"], &keys["afterId"], &keys["query"]),
        (&json!(1), &first["items"][0]["id"], &query["query"])
    );
}

/// The official client looks for `query` in a cursor, and goes on with POST where it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_cursor() {
    let (_portal, client) = portal().await;
    let cursor = async |path: &str| decoded(&get(&client, path).await["pageInfo"]["nextCursor"]);
    let filtered = cursor("/entities/by-query?filter=kind=resource,spec.rank&orderField=spec.rank,desc&limit=1").await;
    assert_eq!(filtered["query"], json!({ "$all": [{ "kind": "resource" }, { "spec.rank": { "$exists": true } }] }));
    assert_eq!(filtered["orderFields"], json!([{ "field": "spec.rank", "order": "desc" }]));
    assert_eq!((&filtered["isPrevious"], &filtered["totalItems"]), (&json!(false), &json!(5)));
    assert_eq!(
        (&filtered["orderFieldValues"][0], filtered["orderFieldValues"].as_array().unwrap().len()),
        (&json!("d"), 2)
    );
    assert_eq!(filtered["firstSortFieldValues"], filtered["orderFieldValues"]);
    let bare = cursor("/entities/by-query?limit=1&orderField=spec.rank&fullTextFilterTerm=B").await;
    assert_eq!((bare.get("query"), &bare["fullTextFilter"]), (None, &json!({ "term": "B" })));
    let body = json!({ "query": { "kind": "Resource" }, "limit": 1 });
    let posted = decoded(&post(&client, "/entities/by-query", &body).await["pageInfo"]["nextCursor"]);
    assert_eq!((&posted["query"], &posted["orderFields"]), (&json!({ "kind": "resource" }), &json!([])));
}

/// The count is of the first page; what came since is on the pages all the same.
#[tokio::test(flavor = "multi_thread")]
async fn counts_are_of_the_first_page() {
    let (portal, client) = portal().await;
    let first = get(&client, "/entities/by-query?filter=kind=resource&orderField=metadata.name&limit=4").await;
    assert_eq!(first["totalItems"], 6);
    push(&portal, 6..7).await;
    let cursor = encoded(first["pageInfo"]["nextCursor"].as_str().unwrap());
    let second = get(&client, &format!("/entities/by-query?cursor={cursor}")).await;
    assert_eq!((names(&second["items"]), &second["totalItems"]), (vec!["b4", "b5", "b6"], &json!(6)));
    let anew = get(&client, "/entities/by-query?filter=kind=resource&limit=0").await;
    assert_eq!((&anew["items"], &anew["totalItems"], &anew["pageInfo"]), (&json!([]), &json!(7), &json!({})));
    let uncounted = json!({ "query": { "kind": "resource" }, "limit": 2, "totalItems": "exclude" });
    let uncounted = post(&client, "/entities/by-query", &uncounted).await;
    assert_eq!((&uncounted["totalItems"], names(&uncounted["items"]).len()), (&json!(0), 2));
}

async fn push(portal: &TestPortal, numbers: std::ops::Range<usize>) {
    let entity = |number: usize| {
        json!({ "entity": {
            "apiVersion": "backstage.io/v1alpha1", "kind": "Resource", "metadata": { "name": format!("b{number}") },
            "spec": { "type": "book", "owner": "readers" },
        } })
    };
    let body = json!({ "mode": "delta", "entities": numbers.map(entity).collect::<Vec<_>>() }).to_string();
    let token = format!("Bearer {TOKEN}");
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    let answer = portal.anonymous().send("POST", "/api/catalog/push/ci", &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_offsets() {
    let (portal, client) = portal().await;
    push(&portal, 6..230).await;
    let count = async |path: &str| {
        let found = get(&client, path).await;
        let items = if found.is_array() { &found } else { &found["items"] };
        items.as_array().unwrap().len()
    };
    // A page has 200 unless somebody says otherwise, and as many as somebody says.
    assert_eq!(count("/entities/by-query?filter=kind=resource").await, 200);
    assert_eq!(post(&client, "/entities/by-query", &json!({})).await["items"].as_array().unwrap().len(), 200);
    assert_eq!(count("/entities/by-query?filter=kind=resource&limit=100000").await, 230);
    assert_eq!(count("/entities/by-query?filter=kind=resource&limit=9223372036854775807").await, 230);
    assert_eq!(count("/entities/by-query?filter=kind=resource&limit=300&offset=220").await, 10);
    assert_eq!(count("/entities/by-query?filter=kind=resource&offset=9223372036854775807").await, 0);
    assert_eq!(count("/entities?filter=kind=resource").await, 230);
    assert_eq!(count("/entities?filter=kind=resource&limit=225").await, 225);
    assert_eq!(count("/entities?filter=kind=resource&limit=20&offset=220").await, 10);
    assert_eq!(count("/entities?filter=kind=resource&limit=9223372036854775807").await, 230);
    // The limit of a link wins over the one beside it.
    let after = encoded(&STANDARD.encode(r#"{"limit":3,"offset":1}"#));
    let listed = client.get(&format!("/api/catalog/entities?filter=kind=resource&limit=50&after={after}")).await;
    assert_eq!(names(&listed.json()), ["b1", "b10", "b100"]);
    assert!(listed.header("link").unwrap().starts_with("</entities?filter=kind%3Dresource&limit=50&after="));
    for path in ["/entities?filter=kind=resource", "/entities?filter=kind=resource&limit=230"] {
        assert_eq!(client.get(&format!("/api/catalog{path}")).await.header("link"), None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders() {
    let (_portal, client) = portal().await;
    let list = async |query: &str| {
        let found = get(&client, &format!("/entities?filter=kind=resource&{query}")).await;
        names(&found).join(" ")
    };
    // b1 and b2 have the same rank, so that their uids decide.
    let ranks = list("order=asc:spec.rank").await;
    let same = if ranks.contains("b1 b2") { ["b1", "b2"] } else { ["b2", "b1"] };
    let [one, two] = same;
    assert_eq!(ranks, format!("b3 {one} {two} b4 b0"));
    // All at once, only the first field counts, and what lacks it is left out.
    assert_eq!(list("order=desc:spec.rank&order=asc:metadata.name").await, format!("b0 b4 {two} {one} b3"));
    // In pages every field counts, and what lacks one comes last.
    assert_eq!(list("limit=9&order=asc:spec.rank&order=desc:metadata.name").await, "b3 b2 b1 b4 b0 b5");
    assert_eq!(list("limit=9&order=desc:spec.rank&order=asc:metadata.name").await, "b0 b4 b1 b2 b3 b5");
    assert_eq!(list("limit=9&order=desc:spec.shelf&order=asc:metadata.name").await, "b5 b4 b0 b1 b2 b3");
    assert_eq!(list("limit=9&order=asc:SPEC.RANK&order=desc:metadata.name").await, "b3 b2 b1 b4 b0 b5");
    assert_eq!(list("limit=9").await, "b0 b1 b2 b3 b4 b5");
    assert_eq!(list("limit=2&offset=4&order=asc:spec.rank").await, "b0 b5");

    let query = async |query: &str| {
        let page = get(&client, &format!("/entities/by-query?filter=kind=resource&{query}")).await;
        (names(&page["items"]).join(" "), page["totalItems"].as_u64().unwrap())
    };
    assert_eq!(query("orderField=spec.rank").await, (format!("b3 {one} {two} b4 b0"), 5));
    assert_eq!(query("orderField=spec.rank,desc").await, (format!("b0 b4 {two} {one} b3"), 5));
    // Only the first counts.
    assert_eq!(query("orderField=spec.shelf,desc&orderField=metadata.name").await, ("b5 b4".to_owned(), 2));
    assert_eq!(query("orderField=spec.none").await, (String::new(), 0));
    // Without a field it is the order's that a text is looked for in; without an order it is the uid.
    assert_eq!(query("orderField=spec.rank&fullTextFilterTerm=B").await, (format!("{one} {two}"), 2));
    assert_eq!(
        query("orderField=spec.rank&fullTextFilterTerm=b4&fullTextFilterFields=spec.rank,metadata.name").await,
        ("b4".to_owned(), 1)
    );
    assert_eq!(query("fullTextFilterTerm=zz").await.1, 0);
    assert_eq!(query("fullTextFilterTerm=%25&fullTextFilterFields=metadata.name").await.1, 0);
    assert_eq!(
        query("fullTextFilterTerm=4&fullTextFilterFields=spec.rank&fullTextFilterFields=metadata.name").await.1,
        1
    );
}
