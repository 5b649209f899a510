//! Where what a plugin adds is to be seen.

use std::time::{Duration, Instant};

use callboard_catalog::{Direction, Order, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::manifest::{AttachmentPoint, Manifest, UiExtension};
use callboard_model::route::RouteMethod;
use serde_json::Value;

use super::super::shown::plain;
use crate::portal::Portal;

/// For how long an entity is waited for that an extension is for: the catalog has just begun to read.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(20);

/// Addresses, each with what is there.
pub(super) async fn of(portal: &Portal, manifest: &Manifest) -> Vec<(String, String)> {
    let base = portal.url.as_str().trim_end_matches('/');
    let id = &manifest.id;
    let mut addresses = Vec::new();
    for extension in &manifest.contributes.ui {
        let path = path(portal, id, extension).await;
        let what = match extension.at {
            AttachmentPoint::EntityTab => "the tab",
            AttachmentPoint::EntityCard => "the card",
            AttachmentPoint::Page => "the page",
            AttachmentPoint::NavigationItem => "the navigation item",
        };
        addresses.push((format!("{base}{path}"), format!("{what} {}", plain(&extension.title))));
    }
    for route in manifest.contributes.routes.iter().filter(|route| route.method == RouteMethod::Get) {
        addresses.push((format!("{base}/api/{id}{}", route.path), plain(&route.description)));
    }
    addresses.push((format!("{base}/plugins/{id}"), "what it does: calls, log, what it was refused".to_owned()));
    addresses
}

async fn path(portal: &Portal, id: &str, extension: &UiExtension) -> String {
    match extension.at {
        AttachmentPoint::Page => format!("/plugins/{id}/pages/{}", extension.id),
        AttachmentPoint::NavigationItem => "/".to_owned(),
        AttachmentPoint::EntityTab | AttachmentPoint::EntityCard => {
            let Some(of) = entity(portal, extension.filter.as_ref()).await else { return "/catalog".to_owned() };
            let page = format!("/catalog/{}/{}/{}", of.namespace(), of.kind(), of.name());
            match extension.at {
                AttachmentPoint::EntityTab => format!("{page}/{id}.{}", extension.id),
                _ => page,
            }
        }
    }
}

/// An entity that an extension is for, once there is one.
async fn entity(portal: &Portal, filter: Option<&Predicate>) -> Option<EntityRef> {
    let query = Query {
        filter: filter.cloned(),
        order: vec![Order { field: "metadata.name".to_owned(), direction: Direction::Asc }],
        limit: 1,
        ..Query::default()
    };
    let begun = Instant::now();
    loop {
        let page = portal.app.catalog.query(&Access::All, &query).await.ok()?;
        if let Some(found) = page.items.first() {
            let entity: Value = serde_json::from_str(found.get()).ok()?;
            let of = |field: &str| entity.pointer(field).and_then(Value::as_str);
            let namespace = of("/metadata/namespace").unwrap_or("default");
            return Some(EntityRef::new(of("/kind")?, namespace, of("/metadata/name")?));
        }
        if begun.elapsed() > PATIENCE {
            return None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
