//! `kill -9` of one of two replicas in the middle of bringing in a catalog.

use anyhow::{Result, ensure};

use super::{ALL, BEAT, BEATS, Place, Replica, World, until, wait_for};

const ENTITIES: u64 = 10_000;

/// Of the replica that is killed, so that it has something in hand.
const CLAIMED: i64 = 32;

#[tokio::test(flavor = "multi_thread")]
async fn the_other_finishes_and_takes_the_schedule_over() -> Result<()> {
    // With 101 files, and what leads to them.
    let world = World::new(ENTITIES + 102).await?;
    assert!(world.generator.entities() >= ENTITIES, "{}", world.generator.entities());
    let expected = world.undisturbed().await?;

    // Its listing is held back, so that whoever began it is at it when it is killed.
    world.bucket.faults().hold_listings(Some(BEATS));
    let place = Place::new().await?;
    let config = world.config(&place.database(None)?)?;
    let victim = Replica::start(config.clone()).await?;
    let killed = wait_for("a run begins", async || place.runner(BEAT).await).await?;
    let other = Replica::start(config).await?;

    other.run(ALL).await?;
    let mut are_both_at_work = false;
    let visible = wait_for("both are in the middle", async || {
        let (claims, visible) = (place.claims().await?, place.visible().await?);
        ensure!(visible < world.size(), "it was over before both were at work");
        are_both_at_work |= claims.keys().any(|replica| *replica != killed);
        let has_claims = claims.get(&killed).is_some_and(|claims| *claims >= CLAIMED);
        Ok((are_both_at_work && has_claims && visible > ENTITIES / 10).then_some(visible))
    })
    .await?;
    victim.server.kill().await?;
    let after = place.visible().await?;
    assert!(visible <= after && after < world.size(), "{visible}, {after}");
    assert_eq!(place.runner(BEAT).await?.as_ref(), Some(&killed), "its run is left open");

    // The run that it had begun goes on elsewhere, and so does the schedule.
    until("the run is taken over", async || Ok(place.runner(BEAT).await?.is_some_and(|replica| replica != killed)))
        .await?;
    world.bucket.faults().hold_listings(None);
    for _ in 0..2 {
        let run = other.until_next_run(BEAT).await?;
        assert_eq!(run.last_error, None);
        assert!(place.last_runner(BEAT).await?.is_some_and(|replica| replica != killed));
    }
    expected.ensure_same(&world.end(&place, &other).await?)
}
