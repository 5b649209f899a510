//! What a person does with the pages: sign in, find, filter, go back, read, get lost.

use anyhow::Result;
use callboard_tests::browser::{Browser, Theme};
use callboard_tests::example::{Example, PAGES};
use callboard_tests::portal::TestPortal;
use serde_json::json;

/// The names of the entities in the table, in its order.
const NAMES: &str = "return [...document.querySelectorAll('tbody tr td:first-child a')] \
                     .map(link => link.pathname.split('/').pop());";

async fn names(window: &Browser) -> Result<Vec<String>> {
    Ok(serde_json::from_value(window.run(NAMES).await?)?)
}

/// No page makes the browser complain: no error in a script, nothing that the security policy refuses.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_makes_the_browser_complain() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    for (name, path) in PAGES {
        window.goto(path).await?;
        let mut complaints = window.complaints().await?;
        // That something is not there is the subject of these pages.
        complaints.retain(|text| !(name.starts_with("no-such") && text.contains("404")));
        assert!(complaints.is_empty(), "{path}: {complaints:#?}");
    }
    window.close().await
}

/// Each page says in its title and heading what it is.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_a_title_and_one_heading() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    let mut titles = Vec::new();
    for (_, path) in PAGES.iter().filter(|(_, path)| !path.contains('?')) {
        window.goto(path).await?;
        let headings = window.run("return document.querySelectorAll('h1').length;").await?;
        assert_eq!(headings, json!(1), "{path}");
        titles.push(window.client().title().await?);
    }
    assert!(titles.iter().all(|title| title.len() > "Callboard".len()), "{titles:?}");
    window.close().await
}

/// At 1440 by 900 a screen shows at least 18 entities, one line each, with their names whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_shows_eighteen_rows() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    window.goto("/").await?;
    assert_eq!(window.path().await?, "/catalog", "the front page is the catalog");
    let seen = window
        .run(
            "return [...document.querySelectorAll('tbody tr')].filter(row => { \
               const box = row.getBoundingClientRect(); const name = row.querySelector('td a'); \
               return box.bottom <= window.innerHeight && name.scrollWidth <= name.clientWidth + 1; }).length;",
        )
        .await?;
    assert!(seen.as_u64().is_some_and(|rows| rows >= 18), "{seen} rows are whole");
    window.close().await
}

/// What a reader fetches before the first table stands, all of it: packed, and no heavier than it was.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_is_light() -> Result<()> {
    const MAX_BYTES: u64 = 320_000;
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    let transfers = "return ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind)) \
                     .map(entry => [new URL(entry.name).pathname, entry.encodedBodySize, entry.decodedBodySize]);";
    window.run("performance.setResourceTimingBufferSize(1000);").await?;
    window.goto("/catalog").await?;
    let parts: Vec<(String, u64, u64)> = serde_json::from_value(window.run(transfers).await?)?;
    for (path, sent, whole) in parts.iter().filter(|(path, ..)| path.starts_with("/assets/")) {
        assert!(sent < whole, "{path} is sent as it is");
    }
    let sent: u64 = parts.iter().map(|(_, sent, _)| sent).sum();
    assert!(parts.iter().any(|(path, ..)| path.ends_with(".wasm")), "{parts:#?}");
    assert!(sent <= MAX_BYTES, "{sent} bytes: {parts:#?}");
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogs_state_is_its_address() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    window.goto("/catalog").await?;
    let all = names(&window).await?;

    // A kind is one press away, and the address says so.
    window.click("nav.catalog-kinds a[href*='filters[kind]=api']").await?;
    window.until("the address names the kind", "return location.search.includes('filters[kind]=api');").await?;
    window.until_text("ISBN registry").await?;
    let apis = names(&window).await?;
    assert_ne!(apis, all);

    // Typing narrows down.
    window.fill("input[type=search]", "isbn").await?;
    window.until("the address holds the text", "return location.search.includes('filters[text]=isbn');").await?;
    window.until("one row is left", "return document.querySelectorAll('tbody tr').length === 1;").await?;
    let address = window.path().await?;

    // A link that is sent to somebody shows the same; back leads back.
    window.goto("/plugins").await?;
    window.goto(&address).await?;
    window.until("the same row", "return document.querySelectorAll('tbody tr').length === 1;").await?;
    window.click("tbody tr td a").await?;
    window.until("the entity's page", "return location.pathname.endsWith('/api/isbn-registry');").await?;
    window.settled().await?;
    window.client().back().await?;
    window.until("the list as it was", "return document.querySelectorAll('tbody tr').length === 1;").await?;
    assert_eq!(window.path().await?, address);
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn headings_sort_and_pages_turn() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    window.goto("/catalog?limit=5").await?;
    let first = names(&window).await?;
    assert_eq!(first.len(), 5);
    let mut sorted = first.clone();
    sorted.sort_by_key(|name| name.to_lowercase());
    assert_eq!(first, sorted, "by name unless somebody wants otherwise");

    window.click("thead th button").await?;
    window.until("the other way round", "return location.search.includes('sort=-name');").await?;
    window.settled().await?;
    let last = names(&window).await?;
    assert!(last != first && last.is_sorted_by_key(|name| std::cmp::Reverse(name.to_lowercase())), "{last:?}");

    window.goto("/catalog?limit=5&offset=5").await?;
    let second = names(&window).await?;
    assert!(second.iter().all(|name| !first.contains(name)), "{first:?} {second:?}");
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_leads_to_what_it_belongs_to() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    window.goto("/catalog/default/component/book-catalogue").await?;
    for link in ["/catalog/default/api/book-catalogue", "/catalog/default/system/book-catalogue"] {
        window.find(&format!("main a[href='{link}']")).await?;
    }
    window.click("main a[href='/catalog/default/api/book-catalogue']").await?;
    window.until("the API's page", "return location.pathname === '/catalog/default/api/book-catalogue';").await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugins_page_says_what_each_may_do() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    window.goto("/plugins").await?;
    window.until_text("S3").await?;
    window.until_text("Running").await?;
    window.goto("/plugins/s3").await?;
    for text in [
        "GET config:integrations.awsS3.endpoint",
        "catalog.providers.awsS3",
        "awsS3-provider:default",
        "every 5 seconds",
        "entity-provider.read",
        "2xx",
        "Nothing was refused.",
    ] {
        window.until_text(text).await?;
    }
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_lost_is_helped() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    for path in [
        "/no/such/page",
        "/catalog/default/component/none",
        "/plugins/none",
        "/catalog?filters[text]=nothing-is-called-so",
    ] {
        window.goto(path).await?;
        let ways_on = window.run("return document.querySelectorAll('main a, main button').length;").await?;
        assert!(ways_on.as_u64().is_some_and(|ways| ways > 0), "{path} leads nowhere");
    }
    window.close().await
}

/// Where nobody may look without signing in, every address asks who one is, and goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_on() -> Result<()> {
    let config = json!({ "auth": { "providers": { "development": { "users": [
        { "entityRef": "user:default/ada", "displayName": "Ada Okafor" },
    ] } } } });
    let portal = TestPortal::start(config).await?;
    let window = Browser::open(portal.url()).await?;
    window.goto("/plugins").await?;
    window.until_text("Sign in").await?;
    window.click("main button:last-of-type, main li:last-child button").await?;
    window
        .until(
            "the page that was asked for",
            "return !!document.querySelector('nav') && location.pathname === '/plugins';",
        )
        .await?;
    window.goto("/settings").await?;
    let text = window.text().await?;
    assert!(text.contains("Ada Okafor") || text.contains("guest"), "{text}");
    window.close().await
}

/// The system's theme at first, then what the reader chose, also after a reload.
#[tokio::test(flavor = "multi_thread")]
async fn themes() -> Result<()> {
    const BACKGROUND: &str = "return getComputedStyle(document.documentElement).backgroundColor;";
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    window.goto("/settings").await?;
    let light = window.run(BACKGROUND).await?;
    window.theme(Theme::Dark).await?;
    window.goto("/settings").await?;
    let dark = window.run(BACKGROUND).await?;
    assert_ne!(light, dark, "the system's wish counts");
    window.click_text("Light").await?;
    let chosen = format!("return getComputedStyle(document.documentElement).backgroundColor === {light};");
    window.until("what was chosen", &chosen).await?;
    window.goto("/settings").await?;
    assert_eq!(window.run(BACKGROUND).await?, light, "it is remembered");
    window.close().await
}
