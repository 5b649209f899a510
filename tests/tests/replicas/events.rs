//! Webhooks to two replicas, one of which is killed in the middle: what was accepted is delivered, by whichever is there.

use std::collections::BTreeSet;

use anyhow::Result;
use callboard_tests::portal::merge;
use serde_json::json;

use super::{Place, Replica, until};
use crate::events::{config, kept_in, say};

const WEBHOOKS: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_accepted_the_other_delivers() -> Result<()> {
    let place = Place::new().await?;
    let mut config = config()?;
    merge(&mut config, json!({ "backend": { "database": place.database(None)? } }));
    let victim = Replica::start(config.clone()).await?;
    let other = Replica::start(config).await?;
    let mut accepted = BTreeSet::new();
    for number in 0..WEBHOOKS / 2 {
        let word = format!("w{number}");
        let client = if number % 4 == 0 { other.client() } else { victim.client() };
        assert_eq!(say(client, &word, &word).await?.status.as_u16(), 202, "{word}");
        accepted.insert(word);
    }
    victim.server.kill().await?;
    for number in WEBHOOKS / 2..WEBHOOKS {
        let word = format!("w{number}");
        assert_eq!(say(other.client(), &word, &word).await?.status.as_u16(), 202, "{word}");
        accepted.insert(word);
    }
    until("all that was accepted is delivered", async || {
        let kept = kept_in(&place.db).await?;
        let words = kept.values().flat_map(|lines| lines.lines()).filter_map(|line| line.split(' ').nth(1));
        Ok(words.map(str::to_owned).collect::<BTreeSet<_>>() == accepted)
    })
    .await?;
    // One that came twice came under the same delivery id: there is one key for each.
    assert_eq!(kept_in(&place.db).await?.len(), accepted.len());
    Ok(())
}
