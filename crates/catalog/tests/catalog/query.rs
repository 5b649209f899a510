//! Reading: filters, order, pages, facets, and their quirks.

use callboard_catalog::{Direction, Document, Error, FullText, ListQuery, Order, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::{Predicate, parse_filters};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component_value, provided};

fn entity(kind: &str, name: &str, metadata: Value, spec: Value) -> Value {
    let mut value = component_value(name, spec);
    value["kind"] = json!(kind);
    value["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
    value
}

async fn filled() -> Fixture {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let entities = [
        entity(
            "Component",
            "Alpha",
            json!({"title": "The first", "tags": ["java", "x"]}),
            json!({"lifecycle": "Production", "num": 7, "flag": true}),
        ),
        entity(
            "Component",
            "beta",
            json!({"title": "second_%", "tags": ["java"]}),
            json!({"lifecycle": "experimental", "owner": "team-b"}),
        ),
        entity(
            "Component",
            "gamma",
            json!({"annotations": {
            "backstage.io/managed-by-location": "test:x", "backstage.io/managed-by-origin-location": "test:x",
            "github.com/project-slug": "Acme/X", "long": "y".repeat(201)}}),
            json!({"lifecycle": "production", "system": "s"}),
        ),
        entity(
            "API",
            "alpha",
            json!({"title": "An API", "namespace": "other"}),
            json!({"type": "openapi", "definition": "x"}),
        ),
        entity("Resource", "db", json!({}), json!({"type": "database"})),
    ];
    provider.items(entities.into_iter().map(provided).collect());
    fixture.run_provider().await;
    assert_eq!(fixture.refs().await.len(), 5);
    fixture
}

fn names(items: &[Document]) -> Vec<String> {
    items
        .iter()
        .map(|item| {
            let value: Value = serde_json::from_str(item.get()).unwrap();
            value["metadata"]["name"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn filters(filters: &[&str]) -> Option<Predicate> {
    parse_filters(&filters.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

fn order(text: &str) -> Vec<Order> {
    if text.is_empty() { vec![] } else { vec![Order::parse_suffixed(text).unwrap()] }
}

#[tokio::test]
async fn filtered() {
    let fixture = filled().await;
    let by = async |filter: Option<Predicate>, expected: &[&str]| {
        let query = Query { filter: filter.clone(), order: order("metadata.name"), ..Query::default() };
        let page = fixture.catalog.query(&Access::All, &query).await.unwrap();
        let mut found = names(&page.items);
        found.sort();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(page.total_items, u64::try_from(expected.len()).unwrap(), "{filter:?}");
    };
    let legacy = async |all: &[&str], expected: &[&str]| by(filters(all), expected).await;
    legacy(&[], &["Alpha", "alpha", "beta", "db", "gamma"]).await;
    legacy(&["kind=component"], &["Alpha", "beta", "gamma"]).await;
    legacy(&["kind=COMPONENT,spec.lifecycle=PRODUCTION"], &["Alpha", "gamma"]).await;
    legacy(&["kind=api,kind=resource"], &["alpha", "db"]).await;
    legacy(&["kind=api", "metadata.name=beta"], &["alpha", "beta"]).await;
    legacy(&["spec.system"], &["gamma"]).await;
    legacy(&["metadata.tags=java"], &["Alpha", "beta"]).await;
    legacy(&["metadata.tags.x"], &["Alpha"]).await;
    legacy(&["metadata.tags.x=true"], &["Alpha"]).await;
    legacy(&["spec.num=7,spec.flag=TRUE"], &["Alpha"]).await;
    legacy(&["metadata.namespace=default"], &["Alpha", "beta", "db", "gamma"]).await;
    legacy(&["metadata.annotations.github.com/project-slug=acme/x"], &["gamma"]).await;
    legacy(&["metadata.annotations.long"], &["gamma"]).await;
    let long = format!("metadata.annotations.long={}", "y".repeat(201));
    legacy(&[&long], &[]).await;
    legacy(&["relations.ownedBy=group:default/team-b"], &["beta"]).await;
    legacy(&["relations.OWNEDBY=Group:Default/Team-B"], &["beta"]).await;
    legacy(&["relations.partof"], &["gamma"]).await;
    legacy(&["relations.nothing"], &[]).await;
    legacy(&["metadata.etag"], &[]).await;

    let json = async |predicate: Value, expected: &[&str]| {
        by(Some(Predicate::from_value(&predicate).unwrap()), expected).await
    };
    json(json!({}), &["Alpha", "alpha", "beta", "db", "gamma"]).await;
    json(json!({"$any": []}), &[]).await;
    json(json!({"$not": {"kind": "Component"}}), &["alpha", "db"]).await;
    json(json!({"metadata.title": {"$exists": false}}), &["db", "gamma"]).await;
    json(json!({"metadata.title": {"$hasPrefix": "SECOND_%"}}), &["beta"]).await;
    json(json!({"metadata.title": {"$hasPrefix": "second__"}}), &[]).await;
    json(json!({"metadata.name": {"$in": ["ALPHA", "db"]}}), &["Alpha", "alpha", "db"]).await;
    json(json!({"metadata.name": {"$in": []}}), &[]).await;
    json(json!({"relations": {"$contains": {"type": "ownedBy", "targetRef": "group:default/team-b"}}}), &["beta"])
        .await;
    json(json!({"relations": {"$contains": {"type": "partOf"}}}), &["gamma"]).await;
    // As many conditions as the model takes, in a chain.
    let many: Vec<Value> = (0..1_900).map(|number| json!({"metadata.name": format!("n{number}")})).collect();
    json(json!({"$any": many}), &[]).await;
    // Nothing of it is SQL.
    json(json!({"metadata.name": "x' OR '1'='1"}), &[]).await;
    json(json!({"x') OR 1=1 --": {"$exists": true}}), &[]).await;
}

/// Asks for pages of several sizes, counted and not, to the end and all the way back.
async fn walked(fixture: &Fixture, asked: &Query, expected: &[&str]) {
    for (limit, total) in [1, 2, 3, 100].into_iter().flat_map(|limit| [(limit, true), (limit, false)]) {
        let what = format!("{:?} {:?} {:?} {limit} {total}", asked.order, asked.filter, asked.full_text);
        let mut query = Query { limit, total, ..asked.clone() };
        let (mut seen, mut back) = (Vec::new(), Vec::new());
        loop {
            let page = fixture.catalog.query(&Access::All, &query).await.unwrap();
            let counted = if total { u64::try_from(expected.len()).unwrap() } else { 0 };
            assert_eq!(page.total_items, counted, "{what}");
            assert_eq!(page.page_info.prev_cursor.is_none(), seen.is_empty(), "{what}");
            seen.push(names(&page.items));
            let Some(next) = page.page_info.next_cursor.clone() else {
                let mut cursor = page.page_info.prev_cursor;
                while let Some(previous) = cursor {
                    let query = Query { cursor: Some(previous), limit, total, ..Query::default() };
                    let page = fixture.catalog.query(&Access::All, &query).await.unwrap();
                    assert!(page.page_info.next_cursor.is_some());
                    back.push(names(&page.items));
                    cursor = page.page_info.prev_cursor;
                }
                break;
            };
            query = Query { cursor: Some(next), limit, total, ..Query::default() };
        }
        assert_eq!(seen.concat(), expected, "{what}");
        seen.pop();
        back.reverse();
        assert_eq!(back, seen, "back: {what}");
    }
    let counted = Query { limit: 0, ..asked.clone() };
    let counted = fixture.catalog.query(&Access::All, &counted).await.unwrap();
    assert_eq!((counted.total_items, counted.items.len()), (u64::try_from(expected.len()).unwrap(), 0));
}

/// What a list shows first, and what has a statement of its own.
#[tokio::test]
async fn pages_of_a_kind() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let of =
        |kind: &str, name: &str, emails: Value| entity(kind, name, json!({}), json!({"profile": {"email": emails}}));
    let entities = [
        of("Component", "c-one", json!("m")),
        of("Resource", "a-one", json!("b")),
        of("Component", "b-two", json!(["z", "a"])),
        of("Component", "d-one", json!(["c", "b"])),
        of("Resource", "e-one", json!(["y", "k"])),
        of("Component", "a-one", json!(null)),
    ];
    provider.items(entities.into_iter().map(provided).collect());
    fixture.run_provider().await;
    assert_eq!(fixture.refs().await.len(), 6);
    let check = async |by: &str, filter: &[&str], term: &str, expected: &[&str]| {
        let full_text = Some(FullText { term: term.to_owned(), fields: vec![] }).filter(|text| !text.term.is_empty());
        let query = Query { filter: filters(filter), order: order(by), full_text, ..Query::default() };
        walked(&fixture, &query, expected).await;
    };
    let component: &[&str] = &["kind=component"];
    check("metadata.name", component, "", &["a-one", "b-two", "c-one", "d-one"]).await;
    check("metadata.name,desc", component, "", &["d-one", "c-one", "b-two", "a-one"]).await;
    check("metadata.name", component, "ONE", &["a-one", "c-one", "d-one"]).await;
    check("metadata.name,desc", component, "-o", &["d-one", "c-one", "a-one"]).await;
    check("metadata.name", component, "three", &[]).await;
    check("metadata.name", &["kind=resource"], "one", &["a-one", "e-one"]).await;
    check("metadata.name", &["kind=nothing"], "", &[]).await;
    check(
        "metadata.name",
        &["kind=resource", "kind=component"],
        "-",
        &["a-one", "a-one", "b-two", "c-one", "d-one", "e-one"],
    )
    .await;
    // Of several values the first in the order counts, and who has none is left out.
    check("spec.profile.email", component, "", &["b-two", "d-one", "c-one"]).await;
    check("spec.profile.email,desc", component, "", &["b-two", "c-one", "d-one"]).await;
    check("spec.profile.email", component, "c", &["d-one"]).await;
    let everything = fixture.catalog.query(&Access::All, &Query::default()).await.unwrap().items;
    let is = |item: &&Document, kind: &str| item.get().contains(&format!("\"kind\":\"{kind}\""));
    let of_kind = |kind: &str| names(&everything.iter().filter(|item| is(item, kind)).cloned().collect::<Vec<_>>());
    for kind in ["Component", "Resource"] {
        let expected = of_kind(kind);
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check("", &[&format!("kind={kind}")], "", &expected).await;
    }
    // What is left out makes it another question.
    let others = json!({ "$all": [{ "kind": "Component" }, { "$not": { "metadata.name": "b-two" } }] });
    let others = Some(Predicate::from_value(&others).unwrap());
    let query = Query { filter: others, order: order("metadata.name"), ..Query::default() };
    walked(&fixture, &query, &["a-one", "c-one", "d-one"]).await;
    // What is skipped is not on the page.
    let query =
        Query { filter: filters(component), order: order("metadata.name"), offset: 1, limit: 2, ..Query::default() };
    let page = fixture.catalog.query(&Access::All, &query).await.unwrap();
    assert_eq!((names(&page.items), page.total_items), (vec!["b-two".to_owned(), "c-one".to_owned()], 4));
}

#[tokio::test]
async fn ordered_and_paged() {
    let fixture = filled().await;
    let check = async |by: &str, filter: &[&str], expected: &[&str]| {
        let query = Query { filter: filters(filter), order: order(by), ..Query::default() };
        walked(&fixture, &query, expected).await;
    };
    // Entities without the field are left out, of the count too.
    check("metadata.title", &[], &["alpha", "beta", "Alpha"]).await;
    check("metadata.title,desc", &[], &["Alpha", "beta", "alpha"]).await;
    check("metadata.title", &["kind=component"], &["beta", "Alpha"]).await;
    check("spec.nothing", &[], &[]).await;
    check("Metadata.Name,desc", &["kind=component"], &["gamma", "beta", "Alpha"]).await;
    // Of several values the first in the order counts, and each entity comes once.
    check("metadata.tags,desc", &[], &["Alpha", "beta"]).await;
    check("relations.ownedby,desc", &["metadata.name=beta"], &["beta"]).await;

    // Without an order it is by uid, whatever that is, counted or not.
    let whole = fixture.catalog.query(&Access::All, &Query::default()).await.unwrap();
    let whole = names(&whole.items);
    check("", &[], &whole.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // And complete.
    let query = Query { limit: 2, ..Query::default() };
    let first = fixture.catalog.query(&Access::All, &query).await.unwrap();
    let mut seen = names(&first.items);
    let mut cursor = first.page_info.next_cursor;
    while let Some(next) = cursor {
        let page = fixture
            .catalog
            .query(&Access::All, &Query { cursor: Some(next), limit: 2, ..Query::default() })
            .await
            .unwrap();
        seen.extend(names(&page.items));
        cursor = page.page_info.next_cursor;
    }
    seen.sort();
    assert_eq!(seen, ["Alpha", "alpha", "beta", "db", "gamma"]);
}

/// A page that would be too large ends early, and the next one goes on there.
#[tokio::test]
async fn pages_of_so_many_bytes() {
    let fixture = filled().await;
    let whole = async |query: Query| fixture.catalog.query(&Access::All, &query).await.unwrap().items;
    for by in ["", "metadata.name"] {
        let query = || Query { order: order(by), ..Query::default() };
        let expected = whole(query()).await;
        let largest = expected.iter().map(|item| item.get().len()).max().unwrap();
        let mut ended_early = 0;
        for (bytes, limit) in [(1, 200), (largest, 200), (2 * largest, 200), (2 * largest, 1), (usize::MAX, 2)] {
            let mut seen = Vec::new();
            let mut cursor = None;
            loop {
                let query = Query { bytes: Some(bytes), limit, cursor, total: false, ..query() };
                let page = fixture.catalog.query(&Access::All, &query).await.unwrap();
                let size: usize = page.items.iter().map(|item| item.get().len()).sum();
                assert!(page.items.len() == 1 || size <= bytes, "{by}: {size} of {bytes}");
                let is_short = u64::try_from(page.items.len()).unwrap() < limit;
                ended_early += usize::from(is_short && page.page_info.next_cursor.is_some());
                seen.extend(names(&page.items));
                cursor = page.page_info.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, names(&expected), "{by}, {bytes} bytes, {limit}");
        }
        assert!(ended_early > 4, "{ended_early}");
    }
}

#[tokio::test]
async fn counts_offsets_and_limits() {
    let fixture = filled().await;
    let page = async |query: Query| fixture.catalog.query(&Access::All, &query).await.unwrap();
    let by_name = || Query { order: order("metadata.name"), filter: filters(&["kind=component"]), ..Query::default() };
    let none = page(Query { limit: 0, ..by_name() }).await;
    assert_eq!((none.items.len(), none.total_items, none.page_info.next_cursor), (0, 3, None));
    let uncounted = page(Query { total: false, ..by_name() }).await;
    assert_eq!((uncounted.items.len(), uncounted.total_items), (3, 0));
    let later = page(Query { offset: 1, limit: 1, ..by_name() }).await;
    assert_eq!((names(&later.items), later.total_items), (vec!["beta".to_owned()], 3));
    assert_eq!(later.page_info.prev_cursor, None);
    let fields = page(Query { fields: vec!["metadata.name".to_owned()], limit: 1, ..by_name() }).await;
    assert_eq!(fields.items[0].get(), "{\"metadata\":{\"name\":\"Alpha\"}}");
    let huge = page(Query { limit: u64::MAX, offset: u64::MAX, ..by_name() }).await;
    assert_eq!(huge.items.len(), 0);
    // A cursor with a filter carries it as `query`, by which the official client decides to go on with POST.
    let cursor = page(Query { limit: 1, ..by_name() }).await.page_info.next_cursor.unwrap();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, cursor).unwrap();
    let decoded: Value = serde_json::from_slice(&decoded).unwrap();
    assert_eq!(decoded["query"]["kind"], "component");
    assert_eq!((&decoded["totalItems"], &decoded["isPrevious"]), (&json!(3), &json!(false)));
    let error = fixture.catalog.query(&Access::All, &Query { cursor: Some("x".to_owned()), ..Query::default() }).await;
    assert!(matches!(error, Err(Error::Input(message)) if message.starts_with("Malformed cursor")));
}

#[tokio::test]
async fn full_text() {
    let fixture = filled().await;
    let check = async |term: &str, fields: &[&str], by: &str, expected: &[&str]| {
        let full_text = FullText { term: term.to_owned(), fields: fields.iter().map(ToString::to_string).collect() };
        let query = Query { full_text: Some(full_text), order: order(by), ..Query::default() };
        let page = fixture.catalog.query(&Access::All, &query).await.unwrap();
        let mut found = names(&page.items);
        found.sort();
        assert_eq!(
            (found.as_slice(), page.total_items),
            (expected.map_to_string().as_slice(), expected.len() as u64),
            "{term} {fields:?} {by}"
        );
    };
    check("LPH", &["metadata.name"], "", &["Alpha", "alpha"]).await;
    check("first", &["metadata.name", "metadata.title"], "", &["Alpha"]).await;
    check("team-b", &["relations.ownedBy"], "", &["beta"]).await;
    // Without fields it is the order's, and without an order the uid.
    check("api", &[], "metadata.title", &["alpha"]).await;
    check("alpha", &[], "", &[]).await;
    // The pattern's own characters stand for themselves.
    check("d_%", &["metadata.title"], "", &["beta"]).await;
    check("_", &["metadata.name"], "", &[]).await;
    check("\\", &["metadata.name"], "", &[]).await;
    check(" ", &["metadata.name"], "", &["Alpha", "alpha", "beta", "db", "gamma"]).await;
}

trait MapToString {
    fn map_to_string(&self) -> Vec<String>;
}

impl MapToString for &[&str] {
    fn map_to_string(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[tokio::test]
async fn listed() {
    let fixture = filled().await;
    let list = async |query: ListQuery| fixture.catalog.list(&Access::All, &query).await.unwrap();
    let by = |text: &str| vec![Order::parse_prefixed(text).unwrap()];
    assert_eq!(list(ListQuery::default()).await.items.len(), 5);
    // Everything at once leaves out what lacks the field, and knows only the first.
    let titles =
        list(ListQuery { order: [by("desc:metadata.title"), by("asc:spec.nothing")].concat(), ..ListQuery::default() })
            .await;
    assert_eq!(names(&titles.items), ["Alpha", "beta", "alpha"]);
    // Pages do not: what lacks it comes last, either way.
    let page =
        |order: Vec<Order>, after: Option<String>| ListQuery { order, limit: Some(2), after, ..ListQuery::default() };
    for (direction, expected) in [("asc", ["alpha", "beta", "Alpha"]), ("desc", ["Alpha", "beta", "alpha"])] {
        let order = by(&format!("{direction}:metadata.title"));
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let answer = list(page(order.clone(), after)).await;
            seen.extend(names(&answer.items));
            after = answer.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 5, "{direction}");
        assert_eq!(&seen[..3], expected, "{direction}");
    }
    // Without an order pages are by ref.
    let first = list(page(vec![], None)).await;
    assert_eq!(names(&first.items), ["alpha", "Alpha"]);
    let after = first.next.unwrap();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &after).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&decoded).unwrap(), json!({"limit": 2, "offset": 2}));
    // The limit inside `after` wins.
    let second = list(ListQuery { limit: Some(50), after: Some(after), ..ListQuery::default() }).await;
    assert_eq!(names(&second.items), ["beta", "gamma"]);
    let offset = list(ListQuery { offset: Some(4), ..ListQuery::default() }).await;
    assert_eq!((names(&offset.items), offset.next), (vec!["db".to_owned()], None));
    for bad in [
        ListQuery { limit: Some(0), ..ListQuery::default() },
        ListQuery { after: Some("x".to_owned()), ..ListQuery::default() },
        ListQuery { after: Some("e30=".to_owned()), ..ListQuery::default() },
        ListQuery { fields: vec!["a[0]".to_owned()], ..ListQuery::default() },
    ] {
        assert!(matches!(fixture.catalog.list(&Access::All, &bad).await, Err(Error::Input(_))), "{bad:?}");
    }
}

#[tokio::test]
async fn orders_are_parsed() {
    let parsed = |order: Result<Order, Error>| order.ok().map(|order| (order.field, order.direction));
    let some = |field: &str, direction| Some((field.to_owned(), direction));
    assert_eq!(parsed(Order::parse_prefixed("asc:a.b")), some("a.b", Direction::Asc));
    assert_eq!(parsed(Order::parse_prefixed("desc:a:b")), some("a:b", Direction::Desc));
    assert_eq!(parsed(Order::parse_suffixed("a.b")), some("a.b", Direction::Asc));
    assert_eq!(parsed(Order::parse_suffixed("a.b,desc")), some("a.b", Direction::Desc));
    for bad in ["", "a", "up:a", "asc:"] {
        assert_eq!(parsed(Order::parse_prefixed(bad)), None, "{bad}");
    }
    for bad in ["", ",asc", "a,up", "a,asc,desc"] {
        assert_eq!(parsed(Order::parse_suffixed(bad)), None, "{bad}");
    }
}

#[tokio::test]
async fn facets() {
    let fixture = filled().await;
    let check = async |facet: &str, filter: &[&str], expected: Value| {
        let filter = filters(filter);
        let answer = fixture.catalog.facets(&Access::All, &[facet.to_owned()], filter.as_ref()).await.unwrap();
        let found: Vec<Value> = answer.facets[facet].iter().map(|value| json!([value.value, value.count])).collect();
        assert_eq!(Value::Array(found), expected, "{facet}");
    };
    check("kind", &[], json!([["API", 1], ["Component", 3], ["Resource", 1]])).await;
    check("KIND", &["metadata.name=alpha"], json!([["API", 1], ["Component", 1]])).await;
    // The same value in another case counts by itself.
    check("spec.lifecycle", &["kind=component"], json!([["Production", 1], ["experimental", 1], ["production", 1]]))
        .await;
    check("metadata.tags", &[], json!([["java", 2], ["x", 1]])).await;
    check(
        "relations.ownedBy",
        &[],
        json!([["group:default/team-a", 3], ["group:default/team-b", 1], ["group:other/team-a", 1]]),
    )
    .await;
    check("metadata.annotations.long", &[], json!([])).await;
    check("nothing", &[], json!([])).await;
    assert!(matches!(fixture.catalog.facets(&Access::All, &[], None).await, Err(Error::Input(_))));
}

#[tokio::test]
async fn single_entities() {
    let fixture = filled().await;
    let parse = |text: &str| EntityRef::parse(text, None, None).unwrap();
    let beta = fixture.catalog.by_ref(&Access::All, &parse("Component:Default/BETA")).await.unwrap().unwrap();
    let beta: Value = serde_json::from_str(beta.get()).unwrap();
    let uid = beta["metadata"]["uid"].as_str().unwrap();
    let same = fixture.catalog.by_uid(&Access::All, uid).await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Value>(same.get()).unwrap(), beta);
    assert_eq!(beta["metadata"]["namespace"], "default");
    assert!(fixture.catalog.by_uid(&Access::All, "nobody").await.unwrap().is_none());
    assert!(fixture.catalog.by_ref(&Access::None, &parse("component:default/beta")).await.unwrap().is_none());
    // By refs it is the canonical form or nothing, in the order of the request.
    let refs = [
        "component:default/gamma",
        "Component:default/beta",
        "component:default/none",
        "component:default/beta",
        "component:default/gamma",
    ];
    let refs = refs.map(str::to_owned);
    let found = fixture.catalog.by_refs(&Access::All, &refs, None, &["metadata.name".to_owned()]).await.unwrap();
    let found: Vec<_> = found.iter().map(|item| item.as_ref().map(|item| item.get())).collect();
    let (beta, gamma) = (Some("{\"metadata\":{\"name\":\"beta\"}}"), Some("{\"metadata\":{\"name\":\"gamma\"}}"));
    assert_eq!(found, [gamma, None, None, beta, gamma]);
    let filter = filters(&["metadata.name=beta"]);
    let found = fixture.catalog.by_refs(&Access::All, &refs, filter.as_ref(), &[]).await.unwrap();
    assert_eq!(found.iter().flatten().count(), 1);
}
