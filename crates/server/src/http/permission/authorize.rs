//! `POST /api/permission/authorize`, to the letter of Backstage's. Conditions never leave the server: whoever asks names
//! the entity, and is told yes or no.

use axum::extract::State;
use axum::response::Response;
use callboard_model::access::Access;
use serde_json::{Value, json};

use crate::http::body::Fields;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json as answer};
use crate::http::params::NoParams;
use crate::http::state::App;
use crate::identity::Principal;
use crate::policy::{Action, Permission, Subject};

/// Decisions that one request may ask for. A page asks for some dozens.
const ITEMS: usize = 1_000;

/// What the catalog's permissions are about.
const ENTITY: &str = "catalog-entity";

/// What is asked about one permission.
struct Asked {
    id: Value,
    permission: Permission,
    resources: Resources,
}

enum Resources {
    /// The permission is not about single things.
    None,
    One(String),
    Many(Vec<String>),
}

/// Whether whoever asks may do something, item by item.
#[utoipa::path(post, path = "/permission/authorize", tag = "permission", operation_id = "authorize", request_body = Object,
    responses((status = 200, description = "`items` with `id` and `result`", body = Object),
        (status = 400, description = "Which item is wrong, and how"), (status = 403, description = "Not for services")))]
pub(super) async fn authorize(State(app): State<App>, caller: Caller, _: NoParams, body: Fields) -> Result<Response> {
    if !matches!(caller.principal, Principal::User(_) | Principal::Anonymous) {
        return Err(ApiError::not_allowed("This endpoint does not allow 'service' credentials"));
    }
    if !body.0.contains_key("items") {
        return Err(ApiError::input("request/body must have required property 'items'"));
    }
    let items = body.objects("items")?;
    if items.len() > ITEMS {
        return Err(ApiError::input(format!("request/body/items must NOT have more than {ITEMS} items")));
    }
    let mut answers = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let asked = read(item).map_err(|error| ApiError::input(format!("items/{index}: {}", error.message)))?;
        let access = caller.access_to(asked.permission);
        let result = match asked.resources {
            Resources::None => json!(word(access == Access::All)),
            Resources::One(one) => json!(covered(&app, &access, &[one]).await?.pop().unwrap_or("DENY")),
            Resources::Many(many) => json!(covered(&app, &access, &many).await?),
        };
        answers.push(json!({ "id": asked.id, "result": result }));
    }
    Ok(answer(&json!({ "items": answers })))
}

fn read(item: &Fields) -> Result<Asked> {
    let id = item.required("id")?.to_owned();
    let permission =
        item.object("permission")?.ok_or_else(|| ApiError::input("must have required property 'permission'"))?;
    let name = permission.required("name")?;
    let is_resource = match permission.required("type")? {
        "resource" => true,
        "basic" => false,
        _ => return Err(ApiError::input("permission/type must be basic or resource")),
    };
    let resources = match (item.0.get("resourceRef"), is_resource) {
        (None | Some(Value::Null), false) => Resources::None,
        (Some(Value::String(one)), true) => Resources::One(one.clone()),
        (Some(Value::Array(_)), true) => Resources::Many(item.texts("resourceRef")?.unwrap_or_default()),
        (_, true) => return Err(ApiError::input("a permission of the type resource needs a resourceRef")),
        (_, false) => return Err(ApiError::input("a permission of the type basic has no resourceRef")),
    };
    let permission = Permission::built_in(name).unwrap_or_else(|| named(&permission, name, is_resource));
    Ok(Asked { id: Value::String(id), permission, resources })
}

/// A permission that the portal has no use for itself: a rule may still name it. About what, its name does not say; only
/// entities are known here, so that no rule with a condition gives another thing.
fn named(permission: &Fields, name: &str, is_resource: bool) -> Permission {
    let action = permission.object("attributes").ok().flatten();
    let action = action.and_then(|attributes| attributes.text("action").ok().flatten().map(str::to_owned));
    let action = Action::ALL.into_iter().find(|known| Some(known.name()) == action.as_deref());
    let kind = permission.text("resourceType").ok().flatten();
    let subject = if is_resource && kind == Some(ENTITY) { Subject::Entities } else { Subject::Whole };
    // What says nothing is taken for the most that it could be.
    Permission::named(name, action.unwrap_or(Action::Delete), subject)
}

/// What an access says of each entity. Of one that is not there it says what it says of all.
async fn covered(app: &App, access: &Access, refs: &[String]) -> Result<Vec<&'static str>> {
    match access {
        Access::All => Ok(vec!["ALLOW"; refs.len()]),
        Access::None => Ok(vec!["DENY"; refs.len()]),
        Access::Where(_) => {
            let refs: Vec<String> = refs.iter().map(|entity_ref| entity_ref.to_lowercase()).collect();
            let found = app.catalog.by_refs(access, &refs, None, &["kind".to_owned()]).await?;
            Ok(found.iter().map(|entity| word(entity.is_some())).collect())
        }
    }
}

fn word(allowed: bool) -> &'static str {
    if allowed { "ALLOW" } else { "DENY" }
}
