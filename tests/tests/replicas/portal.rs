//! A portal whose app-config names PostgreSQL, over files alone.

use anyhow::{Context, Result};
use callboard_tests::environment;
use callboard_tests::portal::{KINDS, TestPortal};
use serde_json::{Value, json};

use super::Place;

/// Of the example organisation.
const ENTITY: &str = "component:default/web-shop";

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_and_keeps_everything_there() -> Result<()> {
    let organisation = environment::root().canonicalize()?.join("examples/org/*.yaml");
    let place = Place::new().await?;
    let config = json!({
        "backend": { "database": place.database(None)? },
        "catalog": {
            "rules": [{ "allow": KINDS }],
            "locations": [{ "type": "file", "target": organisation }],
        },
    });
    let portal = TestPortal::start(&config).await?;
    let entity = portal.until_entity(ENTITY).await?;
    portal.until("nothing is left to be done", async || place.is_settled().await).await?;
    let all = answers(&portal).await?;
    let data = portal.folder().join("data");
    let files = std::fs::read_dir(&data)?.map(|file| Ok(file?.file_name())).collect::<Result<Vec<_>>>()?;
    assert!(!files.iter().any(|file| file.to_string_lossy().contains("sqlite")), "{files:?}");

    // Another portal, with a folder of its own, that reads nothing.
    portal.stop().await?;
    let mut config = config;
    config["catalog"]["processingInterval"] = json!(false);
    let portal = TestPortal::start(&config).await?;
    assert_eq!(portal.until_entity(ENTITY).await?["metadata"]["uid"], entity["metadata"]["uid"]);
    assert_eq!(answers(&portal).await?, all);
    Ok(())
}

/// What a few questions of every sort are answered with.
async fn answers(portal: &TestPortal) -> Result<Vec<Value>> {
    let client = portal.client();
    let mut answers = Vec::new();
    for path in [
        "api/catalog/entities/by-name/component/default/web-shop",
        "api/catalog/entities/by-name/component/default/web-shop/ancestry",
        "api/catalog/entities/by-query?filter=kind=component&orderField=metadata.name,asc&limit=5",
        "api/catalog/entities/by-query?filter=kind=component&fullTextFilterTerm=WEB&limit=5",
        "api/catalog/entities?filter=kind=api,spec.type=openapi&fields=kind,metadata.name",
        "api/catalog/entity-facets?facet=kind&facet=spec.type&filter=kind=component",
        "api/catalog/locations",
        "api/plugins",
    ] {
        answers.push(client.json(path).await.with_context(|| path.to_owned())?);
    }
    Ok(answers)
}
