//! Each replica has its own copy of the files, and a copy has its own times.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use callboard_store::{Sql, args, query};
use serde_json::json;

use super::{Place, Replica, until};

/// Where a process finds its own copy under the same name as every other: the folder that it was started in.
const OWN: &str = "/proc/self/cwd";

/// Rounds in which a file changes that lies beside those that do not.
const ROUNDS: u64 = 10;

/// A file that one replica reads, and then another, which sees another time, is looked at again once and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn times_that_differ_are_no_changes() -> Result<()> {
    let place = Place::new().await?;
    let config = json!({
        "backend": { "database": place.database(None)? },
        "catalog": { "locations": [
            { "type": "file", "target": format!("{OWN}/still.yaml") },
            { "type": "file", "target": format!("{OWN}/moving.yaml") },
        ] },
    });
    let mut replicas = Vec::new();
    for age in [1_000, 2_000] {
        let folder = tempfile::tempdir()?;
        write(folder.path(), "still", 0, age)?;
        write(folder.path(), "moving", 0, age)?;
        replicas.push(Replica::start_in(folder, config.clone()).await?);
        if replicas.len() == 1 {
            until("the files are read", async || Ok(place.visible().await? == 4)).await?;
            watch(&place).await?;
        }
    }
    for round in 1..=ROUNDS {
        // Whichever sees it first has it read by whichever comes first: it may be the one whose copy is older.
        for (replica, age) in replicas.iter().zip([1_000, 2_000]) {
            write(replica.folder.path(), "moving", round, age - round * 10)?;
        }
        for replica in &replicas {
            let path = "api/catalog/entities/by-name/component/default/moving";
            until(&format!("round {round} shows"), async || {
                let entity: serde_json::Value = replica.client().json(path).await?;
                Ok(entity["spec"]["type"] == format!("type-{round}"))
            })
            .await?;
        }
    }
    let (still, moving) = (noted(&place, "still").await?, noted(&place, "moving").await?);
    // When the second replica began and when it looked for the first time; whoever reads it then notes its own time.
    assert!(still.len() <= 2, "{still:?}");
    // Each round is a change of either copy.
    let rounds = usize::try_from(ROUNDS)?;
    assert!((rounds..=2 * rounds + 2).contains(&moving.len()), "{moving:?}");
    Ok(())
}

fn write(folder: &Path, name: &str, round: u64, age: u64) -> Result<()> {
    let text = format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{ name: {name} }}\n\
         spec: {{ type: type-{round}, lifecycle: production, owner: somebody }}\n"
    );
    let path = folder.join(format!("{name}.yaml"));
    // At once: half of it is not to be read.
    let new = folder.join("new");
    std::fs::write(&new, text)?;
    let time = SystemTime::now().checked_sub(Duration::from_secs(age)).context("a time")?;
    std::fs::File::options().write(true).open(&new)?.set_modified(time)?;
    Ok(std::fs::rename(&new, path)?)
}

/// Counts from now on whenever the time of a file is noted.
async fn watch(place: &Place) -> Result<()> {
    for statement in [
        "CREATE TABLE noted(key TEXT, time TEXT)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO noted VALUES (NEW.key, NEW.validator); RETURN NULL; END'",
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE ON dependency FOR EACH ROW EXECUTE FUNCTION note()",
    ] {
        let mut sql = Sql::new();
        sql.push(statement);
        place.db.execute(sql).await?;
    }
    Ok(())
}

/// The times of a file that were noted, in no order.
async fn noted(place: &Place, name: &str) -> Result<Vec<String>> {
    let key = format!("file:{OWN}/{name}.yaml");
    let rows = place.db.fetch_all(query("SELECT time FROM noted WHERE key = $1", args![key])).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?)
}
