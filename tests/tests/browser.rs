//! Journeys of a person with a browser.

mod audit;
mod axe;
mod own;
mod pages;
mod permissions;
mod petstore;
mod plugin;
mod plugin_ui;
mod sign_in;
mod xss;

use anyhow::{Context, Result};
use callboard_tests::browser::Browser;
use callboard_tests::client::Client;
use callboard_tests::portal::TestPortal;
use serde_json::json;

/// A window of somebody who is signed in as guest.
pub(crate) async fn guest(portal: &TestPortal) -> Result<Browser> {
    let window = Browser::open(portal.url()).await?;
    window.hold_cookie(portal.client().cookie.as_deref().unwrap_or_default()).await?;
    Ok(window)
}

/// A portal with two people: Ada may do everything, Grace what everybody may, and remove what she owns.
pub(crate) async fn people() -> Result<TestPortal> {
    let folder = tempfile::tempdir().context("a folder for the portal")?;
    let users = ["ada", "grace"].map(|name| {
        json!({
            "apiVersion": "backstage.io/v1alpha1", "kind": "User", "metadata": { "name": name }, "spec": { "memberOf": [] },
        })
    });
    let lamp = json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": { "name": "lamp", "title": "The lamp" },
        "spec": { "type": "service", "lifecycle": "production", "owner": "user:default/ada" },
    });
    let documents = users.into_iter().chain([lamp]).map(|entity| entity.to_string()).collect::<Vec<_>>();
    std::fs::write(folder.path().join("entities.yaml"), documents.join("\n---\n"))?;
    let config = json!({
        "catalog": {
            "rules": [{ "allow": ["Component", "User"] }],
            "locations": [{ "type": "file", "target": "entities.yaml" }],
        },
        "auth": { "providers": { "development": { "users": [
            { "entityRef": "user:default/ada", "displayName": "Ada Okafor" },
            { "entityRef": "user:default/grace", "displayName": "Grace Lindqvist" },
        ] } } },
        "permission": { "policy": [
            { "name": "everybody reads", "allow": ["catalog.entity.read"], "to": ["signed-in"] },
            { "name": "owners remove", "allow": ["catalog.entity.delete"], "to": ["signed-in"],
                "where": { "relations.ownedBy": "$me" } },
            { "name": "Ada administers", "allow": ["*"], "to": ["user:default/ada"] },
        ] },
    });
    let portal = TestPortal::start_in(folder, config).await?;
    portal.until_entity("component:default/lamp").await?;
    Ok(portal)
}

/// A window of somebody, and a client with the same session.
pub(crate) async fn window_of(portal: &TestPortal, entity_ref: &str) -> Result<(Browser, Client)> {
    let client = portal.signed_in(entity_ref).await?;
    let window = Browser::open(portal.url()).await?;
    window.hold_cookie(client.cookie.as_deref().unwrap_or_default()).await?;
    Ok((window, client))
}
