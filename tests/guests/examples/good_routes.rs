//! Is not hostile: it keeps notes, and says what it was asked. What it may, the hostile routes must be able to do as well.

use callboard_sdk::routes::{Request, Response};
use callboard_sdk::{Context, Error, Routes, kv};
use serde_json::json;

struct Good;

impl Routes for Good {
    fn handle(context: &Context, request: &Request) -> Result<Response, Error> {
        match request.name().as_str() {
            "GET /" => Response::json("here"),
            "GET /status/{status}" => status(request),
            "GET /notes/{id}" => note(request),
            "PUT /notes/{id}" => {
                let note: String = request.json()?;
                kv::set(request.param("id"), note.as_bytes())?;
                Ok(Response::json(&note)?.status(201))
            }
            "DELETE /notes/{id}" => {
                kv::delete(request.param("id"))?;
                Ok(Response::empty())
            }
            _ => echo(context, request),
        }
    }
}

callboard_sdk::export!(manifest: "examples/good_routes.yaml", routes: Good);

/// All that it was told.
fn echo(context: &Context, request: &Request) -> Result<Response, Error> {
    Response::json(&json!({
        "user": context.user,
        "name": request.name(),
        "path": request.path,
        "params": request.params,
        "query": request.query,
        "headers": request.headers,
        "body": request.body,
    }))
}

fn status(request: &Request) -> Result<Response, Error> {
    match request.param("status") {
        "invalid" => Err(Error::Invalid("it makes no sense".to_owned())),
        "not-found" => Err(Error::NotFound("it is not there".to_owned())),
        "denied" => Err(Error::Denied("it may not".to_owned())),
        number => {
            let status = number.parse().map_err(|_| Error::Invalid("no number".to_owned()))?;
            Ok(Response::json(number)?
                .status(status)
                .header("etag", "\"it\"")
                .header("cache-control", "public, max-age=9"))
        }
    }
}

fn note(request: &Request) -> Result<Response, Error> {
    let id = request.param("id");
    let note = kv::get(id)?.ok_or_else(|| Error::NotFound(format!("there is no note {id}")))?;
    Response::json(&String::from_utf8_lossy(&note))
}
