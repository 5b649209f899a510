//! Every text of every node, with what makes careless pages run scripts: nothing runs, and nothing of it becomes markup.

use anyhow::{Context, Result};
use callboard_model::ui::Tree;
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use serde_json::{Value, json};

/// Each would set `__xss`, if it were taken for anything but text.
const TEXTS: &[&str] = &[
    "<script>window.__xss=1</script>",
    "<img src=x onerror=window.__xss=1>",
    "<svg/onload=window.__xss=1>",
    "\"><img src=x onerror=window.__xss=1>",
    "'><script>window.__xss=1</script>",
    "\" onmouseover=\"window.__xss=1\" autofocus onfocus=\"window.__xss=1",
    "' onclick='window.__xss=1",
    "`onerror=window.__xss=1`",
    "</textarea><script>window.__xss=1</script>",
    "</title></style></script><script>window.__xss=1</script>",
    "--><script>window.__xss=1</script>",
    "]]><script>window.__xss=1</script>",
    "<iframe srcdoc='<script>parent.__xss=1</script>'></iframe>",
    "<a href=javascript:window.__xss=1>x</a>",
    "javascript:window.__xss=1",
    "JaVaScRiPt:window.__xss=1//",
    "data:text/html,<script>window.__xss=1</script>",
    "[x](javascript:window.__xss=1)",
    "![x](x\" onerror=\"window.__xss=1)",
    "[x]: javascript:window.__xss=1\n\n[x]",
    "<details open ontoggle=window.__xss=1>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.__xss=1>",
    "{{constructor.constructor('window.__xss=1')()}}",
    "${window.__xss=1}",
    "&lt;script&gt;window.__xss=1&lt;/script&gt;&#60;script&#62;window.__xss=1&#60;/script&#62;",
    "url(javascript:window.__xss=1);background:url(x)",
    "\u{202e}<b onclick=window.__xss=1>",
    "<form><button formaction=javascript:window.__xss=1>x",
    "<base href=//evil.example/><link rel=stylesheet href=//evil.example/x.css>",
];

/// No node takes these for a URL.
const URLS: &[&str] = &[
    "javascript:window.__xss=1",
    "JaVaScRiPt:window.__xss=1",
    " javascript:window.__xss=1",
    "java\tscript:window.__xss=1",
    "\u{1}javascript:window.__xss=1",
    "javascript://example.com/%0awindow.__xss=1",
    "data:text/html,<script>parent.__xss=1</script>",
    "vbscript:x",
    "blob:https://example.com/x",
    "file:///etc/passwd",
    "//evil.example/",
    "/\\evil.example/",
    "https://user:password@evil.example/",
];

/// What is no text: it has a closed set of values, names a thing of the same node, or is checked by its type.
const NO_TEXT: &[&str] = &["type", "level", "direction", "href", "data", "from", "to", "id"];

fn guest(name: &str) -> Result<std::path::PathBuf> {
    environment::guest(name)
}

fn samples() -> Result<Vec<Value>> {
    let samples: Value = serde_json::from_str(include_str!("../../../crates/model/tests/ui/nodes.json"))?;
    let states = samples.as_array().into_iter().flatten().filter_map(|sample| sample["states"].as_array()).flatten();
    Ok(states
        .filter(|state| !matches!(state["state"].as_str(), Some("long" | "rtl")))
        .map(|state| state["node"].clone())
        .collect())
}

/// The pointers of all texts in a value.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{at}/{index}"), found));
        }
        Value::Object(object) => {
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// A tree has no two tables of one id, which the attack gave to all of them.
fn tell_tables_apart(value: &mut Value, count: &mut usize) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| tell_tables_apart(item, count)),
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "table")
                && let Some(Value::String(id)) = object.get_mut("id")
            {
                *count += 1;
                id.push_str(&count.to_string());
            }
            object.values_mut().for_each(|value| tell_tables_apart(value, count));
        }
        _ => {}
    }
}

fn is_shown(node: &Value) -> bool {
    serde_json::from_value::<Tree>(json!({ "root": node })).is_ok_and(|tree| tree.check().is_ok())
}

/// The node with a text in each place that takes it; and the places that do not.
fn attacked(node: &Value, text: &str) -> (Value, Vec<String>) {
    let (mut node, mut places, mut refused) = (node.clone(), Vec::new(), Vec::new());
    leaves(&node, "", &mut places);
    for place in places.into_iter().filter(|place| !place.ends_with("/type")) {
        let mut changed = node.clone();
        if let Some(leaf) = changed.pointer_mut(&place) {
            *leaf = text.into();
        }
        if is_shown(&changed) {
            node = changed;
        } else {
            refused.push(place);
        }
    }
    (node, refused)
}

#[test]
fn every_text_of_every_node_takes_any_text() -> Result<()> {
    for node in samples()? {
        let (_, refused) = attacked(&node, TEXTS[0]);
        let texts: Vec<_> =
            refused.into_iter().filter(|place| !place.split('/').any(|key| NO_TEXT.contains(&key))).collect();
        assert!(texts.is_empty(), "{}: {texts:?} take no text, so they are not attacked", node["type"]);
    }
    Ok(())
}

#[test]
fn no_node_takes_an_unsafe_url() -> Result<()> {
    let mut count = 0;
    for node in samples()? {
        let mut places = Vec::new();
        leaves(&node, "", &mut places);
        for place in places.iter().filter(|place| place.ends_with("/href") || place.ends_with("/data")) {
            for url in URLS {
                let mut changed = node.clone();
                *changed.pointer_mut(place).context("a leaf")? = (*url).into();
                assert!(!is_shown(&changed), "{} takes {url} at {place}", node["type"]);
                count += 1;
            }
        }
    }
    assert!(count > 5 * URLS.len(), "only {count} places were tried");
    Ok(())
}

/// Opens what can be opened and presses what can be pressed.
const USE: &str = "
    for (const part of document.querySelectorAll('.slot details')) part.open = true;
    for (const part of document.querySelectorAll('.slot button')) { part.focus(); part.click(); }
    for (const part of document.querySelectorAll('.slot [title], .slot a')) {
        part.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
    }
    return document.querySelectorAll('.slot *').length;";

/// What there is in the page that a plugin must not bring about.
const FOUND: &str = r#"
    const found = window.__xss ? ['a script ran'] : [];
    for (const element of document.body.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
            const place = `${element.tagName} ${name}=${value}`;
            const url = value.replace(/[\u0000-\u0020]/g, '').toLowerCase();
            const names = ['href', 'src', 'action', 'formaction', 'xlink:href', 'data', 'srcset', 'poster', 'srcdoc'];
            if (name.startsWith('on')) found.push(place);
            if (names.includes(name) && /^(javascript|vbscript|blob|file):/.test(url)) found.push(place);
            if (names.includes(name) && url.startsWith('data:') && !/^data:image\/(png|jpeg|gif|webp);base64,/.test(url)) found.push(place);
            if (name === 'style' && /url\(|expression/i.test(value)) found.push(place);
        }
    }
    const foreign = '.slot :is(script, style, link, meta, base, iframe, object, embed, math, textarea + script)';
    for (const element of document.querySelectorAll(foreign)) found.push(element.outerHTML);
    return found;"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_any_node_becomes_a_script() -> Result<()> {
    let samples = samples()?;
    let folder = tempfile::tempdir()?;
    let mut locations = Vec::new();
    for (index, text) in TEXTS.iter().enumerate() {
        let mut nodes: Vec<Value> = samples.iter().map(|node| attacked(node, text).0).collect();
        let mut count = 0;
        nodes.iter_mut().for_each(|node| tell_tables_apart(node, &mut count));
        // A property's name is the label of its field, too.
        nodes.push(json!({ "type": "form", "action": text, "schema": { "type": "object", "required": [text], "properties": {
            (*text): { "type": "string", "title": text }, "x": { "enum": [text], "enumNames": [text] },
            "y": { "type": "object", "title": text, "properties": { (*text): { "type": "array", "items": { "enum": [text] } } } },
        } } }));
        let entity = json!({
            "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
            "metadata": { "name": format!("attack-{index}"), "annotations": {
                "example.com/tree": json!({ "root": { "type": "stack", "children": nodes } }).to_string(),
                "example.com/outcome": json!({ "message": text, "errors": [{ "field": text, "message": text }] }).to_string(),
            } },
            "spec": { "type": "service", "lifecycle": "production", "owner": "guests" },
        });
        let file = format!("attack-{index}.yaml");
        std::fs::write(folder.path().join(&file), entity.to_string())?;
        locations.push(json!({ "type": "file", "target": file }));
    }
    let mut config = with_plugin("raw-tree", &guest("raw_tree")?, &json!({}));
    merge(&mut config, json!({ "catalog": { "locations": locations } }));
    let portal = TestPortal::start_in(folder, config).await?;
    let window = super::guest(&portal).await?;
    for (index, text) in TEXTS.iter().enumerate() {
        portal.until_entity(&format!("component:default/attack-{index}")).await?;
        let path = format!("/catalog/default/component/attack-{index}/raw-tree.tree");
        window.client().goto(portal.url().join(&path)?.as_str()).await?;
        window
            .until(
                "the tree shows",
                "return !!document.querySelector('.slot .graph') && !!document.querySelector('.slot form');",
            )
            .await?;
        let elements = window.run(USE).await?;
        assert!(elements.as_u64().is_some_and(|count| count > 500), "{text}: only {elements} elements show");
        let found: Vec<String> = serde_json::from_value(window.run(FOUND).await?)?;
        assert!(found.is_empty(), "{text}: {found:#?}");
        let complaints = window.complaints().await?;
        let refused: Vec<_> = complaints.iter().filter(|text| text.contains("Content Security Policy")).collect();
        assert!(refused.is_empty(), "{text}: the page tried what its policy refuses: {refused:#?}");
    }
    window.close().await
}
