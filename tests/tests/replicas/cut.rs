//! The database goes away for half a minute, in the middle of bringing in a catalog.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use callboard_tests::client::{Answer, Client};
use callboard_tests::proxy::Proxy;
use futures::future::try_join_all;
use http::StatusCode;
use serde_json::{Value, json};

use super::{ALL, BEAT, Place, Replica, World, until, wait_for};

const ENTITIES: u64 = 3_000;

/// For how long it is away.
const AWAY: Duration = Duration::from_secs(30);

/// A request is answered within this time, whatever the database does, with some room for a machine that does other
/// things too. Silence is believed after five seconds and another five in which a new connection is tried.
const BOUND: Duration = Duration::from_secs(20);

/// Between two rounds of requests, so that they leave the machine to others.
const PAUSE: Duration = Duration::from_millis(250);

const READINESS: &str = ".backstage/health/v1/readiness";

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_refused() -> Result<()> {
    survive(Cut::Refused).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything() -> Result<()> {
    survive(Cut::Silent).await
}

#[derive(Clone, Copy, Debug)]
enum Cut {
    Refused,
    Silent,
}

async fn survive(cut: Cut) -> Result<()> {
    let world = World::new(ENTITIES).await?;
    let expected = world.undisturbed().await?;

    let place = Place::new().await?;
    let mut proxy = Proxy::to(&place.config.host, place.config.port).await?;
    let replica = Replica::start(world.config(&place.database(Some(proxy.address()))?)?).await?;
    let client = replica.client();
    replica.run(ALL).await?;
    let before = wait_for("it is in the middle", async || {
        let visible = place.visible().await?;
        ensure!(visible < world.size(), "it was over before the cut");
        Ok((visible > ENTITIES / 10).then_some(visible))
    })
    .await?;
    match cut {
        Cut::Refused => proxy.refuse().await,
        Cut::Silent => proxy.silence(),
    }
    let begun = Instant::now();
    until("it is not ready", async || Ok(!client.get(READINESS).await?.status.is_success())).await?;
    while begun.elapsed() < AWAY {
        ask(client).await?;
        tokio::time::sleep(PAUSE).await;
    }
    let during = place.visible().await?;
    assert!(before <= during && during < world.size(), "{before}, {during}");
    proxy.restore()?;

    until("it is ready", async || Ok(client.get(READINESS).await?.status.is_success())).await?;
    client.get("healthcheck").await?.ok()?;
    assert_eq!(replica.until_next_run(BEAT).await?.last_error, None);
    expected.ensure_same(&world.end(&place, &replica).await?)?;
    let locations: Vec<Value> = client.json("api/catalog/locations").await?;
    assert_eq!(locations, [] as [Value; 0], "what was refused was kept");
    Ok(())
}

/// Everything that needs the database says that it is away; nothing else does.
async fn ask(client: &Client) -> Result<()> {
    let reads = [
        "api/catalog/entities/by-query?limit=20",
        "api/catalog/entities?filter=kind=component&limit=20",
        "api/catalog/entities/by-name/component/default/nobody",
        "api/catalog/entity-facets?facet=kind",
        "api/catalog/locations",
        "api/plugins",
    ];
    let reads = reads.map(async |path| refused(path, timed(client.get(path)).await?));
    let location = json!({ "type": "url", "target": "https://example.com/catalog-info.yaml" });
    let write = async {
        let path = "api/catalog/locations";
        refused(path, timed(client.post(path, &location)).await?)
    };
    let health = async {
        for path in [READINESS, "healthcheck"] {
            let answer = timed(client.get(path)).await?;
            ensure!(answer.status == StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.status);
            let health: Value = answer.json()?;
            ensure!(health["message"] == "The database cannot be reached", "{path}: {health}");
        }
        // Or an orchestrator would start it again, which mends nothing.
        timed(client.get(".backstage/health/v1/liveness")).await?.ok()?;
        anyhow::Ok(())
    };
    tokio::try_join!(try_join_all(reads), write, health)?;
    Ok(())
}

async fn timed(request: impl Future<Output = Result<Answer>>) -> Result<Answer> {
    let answer = tokio::time::timeout(BOUND, request).await;
    answer.with_context(|| format!("no answer within {} s", BOUND.as_secs()))?
}

/// 503, in the envelope of every error, with what to do.
fn refused(path: &str, answer: Answer) -> Result<()> {
    let text = answer.text();
    ensure!(answer.status == StatusCode::SERVICE_UNAVAILABLE, "{path}: {} {text}", answer.status);
    ensure!(
        answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()),
        "{path}: no Retry-After"
    );
    let body: Value = answer.json()?;
    let error = &body["error"];
    ensure!(error["name"] == "ServiceUnavailableError", "{path}: {text}");
    let message = error["message"].as_str().unwrap_or_default();
    ensure!(message.starts_with("The database cannot be reached") && message.contains("Try again"), "{path}: {text}");
    ensure!(body["response"]["statusCode"] == 503, "{path}: {text}");
    Ok(())
}
