//! The main journey: a file goes into a bucket, becomes an API in the portal, and its "Try it out" shows pets.

use anyhow::Result;
use callboard_tests::browser::Browser;
use callboard_tests::bucket::Bucket;
use callboard_tests::petstore::Petstore;
use callboard_tests::portal::{TestPortal, merge};
use callboard_tests::s3;
use serde_json::{Value, json};

fn descriptor(petstore: &Petstore, description: &str) -> String {
    format!(
        r"
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {{ name: petstore, description: {description} }}
spec:
  type: openapi
  lifecycle: production
  owner: user:guest
  definition:
    $text: {}
",
        petstore.definition_url()
    )
}

/// The bucket is read every two seconds, and the pet store is named, because it is on this machine.
fn config(bucket: &Bucket, petstore: &Petstore) -> Result<Value> {
    let schedule = json!({ "schedule": { "frequency": { "seconds": 2 }, "timeout": { "minutes": 3 } } });
    let mut config = s3::config_with(bucket, schedule)?;
    merge(&mut config, json!({ "backend": { "reading": { "allow": [{ "host": petstore.host() }] } } }));
    Ok(config)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_becomes_a_portal() -> Result<()> {
    let petstore = Petstore::start().await?;
    let bucket = Bucket::start().await?;
    bucket.put(
        "guest.yaml",
        "{ apiVersion: backstage.io/v1alpha1, kind: User, metadata: { name: guest }, spec: { memberOf: [] } }",
    )?;
    let portal = TestPortal::start(config(&bucket, &petstore)?).await?;
    portal.until_entity("user:default/guest").await?;
    let window = super::guest(&portal).await?;
    window.goto("/api-docs").await?;
    window.until_no_text("petstore").await?;

    // It is uploaded, and within the interval it is there.
    bucket.put("backstage-api-blog/petstore.yaml", descriptor(&petstore, "Swagger PetStore Sample REST API"))?;
    portal.until_entity("api:default/petstore").await?;
    window.goto("/api-docs").await?;
    window.until_text("petstore").await?;
    window.click_text("petstore").await?;
    window.settled().await?;
    assert_eq!(window.path().await?, "/catalog/default/api/petstore");
    window.until_text("Swagger PetStore Sample REST API").await?;

    window.click_text("Definition").await?;
    try_it_out(&window).await?;

    let sent = petstore.seen();
    let find = sent.iter().find(|seen| seen.path == "/v2/pet/findByStatus");
    let find = find.map(|seen| format!("{:?}", seen.headers)).unwrap_or_default();
    assert!(find.contains("host"), "the pets were asked for: {sent:?}");
    assert!(!find.contains("cookie"), "our cookies never travel: {find}");

    // The tab that the plugin contributes says where it comes from.
    window.click_text("S3 object").await?;
    window.until_text("backstage-api-blog/petstore.yaml").await?;
    window.until_text(bucket.name()).await?;

    // It changes, and the change shows.
    bucket.put("backstage-api-blog/petstore.yaml", descriptor(&petstore, "Pets for everybody"))?;
    portal
        .until("the change", async || {
            let entity = portal.entity("api:default/petstore").await?;
            Ok(entity.is_some_and(|entity| entity["metadata"]["description"] == "Pets for everybody"))
        })
        .await?;
    window.goto("/catalog/default/api/petstore").await?;
    window.until_text("Pets for everybody").await?;

    // It is deleted, and it goes.
    bucket.delete("backstage-api-blog/petstore.yaml")?;
    portal.until_gone("api:default/petstore").await?;
    window.goto("/api-docs").await?;
    window.until_no_text("petstore").await?;
    let complaints = window.complaints().await?;
    assert!(complaints.is_empty(), "{complaints:#?}");
    window.close().await
}

/// In the viewer: `GET /pet/findByStatus`, Try it out, `available`, Execute, and a 200 with pets.
async fn try_it_out(window: &Browser) -> Result<()> {
    window.enter_frame("iframe").await?;
    window.click("#operations-pet-findPetsByStatus .opblock-summary-control").await?;
    window.click("#operations-pet-findPetsByStatus .try-out__btn").await?;
    window.click("#operations-pet-findPetsByStatus .parameters select option[value=available]").await?;
    window.click("#operations-pet-findPetsByStatus .execute").await?;
    window
        .until(
            "the answer is shown",
            "const status = document.querySelector('.live-responses-table tbody .response-col_status'); \
             return !!status && status.innerText.trim().startsWith('200');",
        )
        .await?;
    for pet in ["Minka", "Rosinante"] {
        window.until_text(pet).await?;
    }
    window.leave_frame().await
}

/// A method that app-config does not allow is refused with the line to add, and the pet store never hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn try_it_out_sends_what_is_allowed_and_nothing_else() -> Result<()> {
    let petstore = Petstore::start().await?;
    let bucket = Bucket::start().await?;
    bucket.put("petstore.yaml", descriptor(&petstore, "Pets"))?;
    let mut config = config(&bucket, &petstore)?;
    let portal = TestPortal::start(&config).await?;
    portal.until_entity("api:default/petstore").await?;

    let add = json!({
        "entityRef": "api:default/petstore",
        "method": "POST",
        "url": format!("http://{}/v2/pet", petstore.host()),
        "headers": { "content-type": "application/json", "Cookie": "stolen=1", "Authorization": "Bearer typed" },
        "body": "eyJuYW1lIjoiTWl0dGVucyJ9",
    });
    let refused = portal.client().post("api/apis/try", &add).await?;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.text());
    assert!(refused.text().contains("apis.tryItOut.allow"), "{}", refused.text());
    assert!(petstore.seen().iter().all(|seen| seen.path != "/v2/pet"));

    // Somewhere that the definition does not name, although reading allows it.
    let mut elsewhere = add.clone();
    elsewhere["method"] = json!("GET");
    elsewhere["url"] = json!(bucket.endpoint());
    let refused = portal.client().post("api/apis/try", &elsewhere).await?;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.text());
    let anonymous = portal.anonymous().post("api/apis/try", &add).await?;
    assert_eq!(anonymous.status.as_u16(), 401, "{}", anonymous.text());

    let allow = json!([{ "host": petstore.host(), "methods": ["POST"] }]);
    merge(&mut config, json!({ "apis": { "tryItOut": { "allow": allow } } }));
    let portal = portal.restart(config).await?;
    portal.until_entity("api:default/petstore").await?;
    let answer: Value = portal.client().post("api/apis/try", &add).await?.ok()?.json()?;
    assert_eq!(answer["status"], 200, "{answer}");
    let seen = petstore.seen();
    let seen = seen.iter().rfind(|seen| seen.path == "/v2/pet").map(|seen| &seen.headers);
    let header = |name: &str| seen.and_then(|headers| headers.get(name)).and_then(|value| value.to_str().ok());
    assert_eq!(header("authorization"), Some("Bearer typed"), "what was typed goes to the API that it is for");
    assert_eq!(header("cookie"), None, "cookies never do");
    Ok(())
}
