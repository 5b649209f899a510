//! Reads all of the catalog that it can get at. What it asks for is a text that the tests hand it, as JSON: in a tab it is
//! the cursor, which whoever looks may choose; elsewhere it is in app-config.

use callboard_sdk::bindings::host::catalog as raw;
use callboard_sdk::catalog::{Page, Predicate, Query};
use callboard_sdk::entity_processor::{Hook, ProcessInput, ProcessOutput};
use callboard_sdk::ui::{Input, Outcome, Tree};
use callboard_sdk::{Context, EntityProcessor, EntityProvider, EntityRef, Error, Provider, Ui, catalog, config};
use serde::Deserialize;
use serde_json::{Value, json};

/// What to ask for.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wish {
    get: Option<Vec<String>>,
    query: Option<Question>,
    /// Whether to go past the SDK, which would not send what makes no sense.
    raw: bool,
    /// Whether to show names alone, of what is too large to show.
    brief: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Question {
    filter: Value,
    fields: Vec<String>,
    order: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

struct Reader;

impl EntityProvider for Reader {
    fn providers(context: &Context) -> Result<Vec<Provider>, Error> {
        Ok(vec![Provider { name: context.plugin_id.clone(), schedule: callboard_guests::schedule()? }])
    }

    fn read(_: &Context, _: &str, _: Option<&str>) -> Result<callboard_sdk::Page, Error> {
        Err(Error::other("outcome", configured()?))
    }
}

impl EntityProcessor for Reader {
    fn process(_: &Context, _: &str, _: Hook, input: ProcessInput) -> Result<ProcessOutput, Error> {
        let mut entity = input.entity;
        entity.set_annotation("example.com/seen", configured()?);
        Ok(ProcessOutput::of(entity))
    }
}

impl Ui for Reader {
    fn render(_: &Context, _: &str, input: &Input) -> Result<Tree, Error> {
        let text = outcome(input.cursor.as_deref().unwrap_or("{}"))?;
        Ok(Tree::of(text))
    }

    fn act(_: &Context, _: &str, _: &str, input: &Input) -> Result<Outcome, Error> {
        let wish = input.value.as_ref().and_then(Value::as_str).unwrap_or("{}");
        Ok(Outcome::new(outcome(wish)?))
    }
}

callboard_sdk::export!(
    manifest: "examples/catalog_reader.yaml",
    entity_processor: Reader,
    entity_provider: Reader,
    ui: Reader,
);

fn configured() -> Result<String, Error> {
    let wish: Option<String> = config::get("wish")?;
    outcome(wish.as_deref().unwrap_or("{}"))
}

/// What came of a wish, as JSON.
fn outcome(wish: &str) -> Result<String, Error> {
    let wish: Wish = serde_json::from_str(wish).map_err(|error| Error::Invalid(format!("the wish: {error}")))?;
    let get = wish.get.map(|refs| shown(if wish.raw { get_raw(&refs) } else { get(&refs) }));
    let query = wish.query.map(|question| shown(if wish.raw { query_raw(question) } else { query(question) }));
    let mut outcome = json!({ "get": get, "query": query });
    if wish.brief {
        for list in ["/get", "/query/entities"] {
            for entity in outcome.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                *entity = entity.pointer("/metadata/name").cloned().unwrap_or_default();
            }
        }
    }
    Ok(outcome.to_string())
}

fn shown(result: Result<Value, Error>) -> Value {
    result.unwrap_or_else(|error| json!({ "error": format!("{error:?}") }))
}

fn get(refs: &[String]) -> Result<Value, Error> {
    let refs = refs.iter().map(|text| EntityRef::parse(text, None, None)).collect::<Result<Vec<_>, _>>();
    let found = catalog::get(&refs.map_err(|error| Error::Invalid(error.to_string()))?)?;
    Ok(json!(found))
}

fn query(question: Question) -> Result<Value, Error> {
    let filter = match question.filter {
        Value::Null => Query::all(),
        filter => Query::of(Predicate::from_value(&filter).map_err(|error| Error::Invalid(error.to_string()))?),
    };
    let mut query = filter.fields(question.fields);
    if let Some(field) = question.order.as_deref() {
        query = match field.strip_prefix('-') {
            Some(field) => query.order_descending(field),
            None => query.order(field),
        };
    }
    if let Some(limit) = question.limit {
        query = query.limit(limit);
    }
    if let Some(cursor) = &question.cursor {
        query = query.after(cursor);
    }
    let page: Page<Value> = query.send()?;
    Ok(json!({ "entities": page.entities, "next": page.next }))
}

fn get_raw(refs: &[String]) -> Result<Value, Error> {
    let found = raw::get(refs)?.into_iter().map(|json| json.map(parsed)).collect::<Vec<_>>();
    Ok(json!(found))
}

fn query_raw(question: Question) -> Result<Value, Error> {
    let filter = match question.filter {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let order = question.order.map(|field| raw::Order { field, direction: raw::Direction::Asc });
    let Question { fields, limit, cursor, .. } = question;
    let page = raw::query(&raw::Request { filter, fields, order, limit: limit.unwrap_or(200), cursor })?;
    let entities: Vec<Value> = page.entities.into_iter().map(parsed).collect();
    Ok(json!({ "entities": entities, "next": page.next }))
}

fn parsed(json: String) -> Value {
    serde_json::from_str(&json).unwrap_or(Value::String(json))
}
