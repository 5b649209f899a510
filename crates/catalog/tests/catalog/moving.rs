//! Entities that move from file to file while all files are read at once.

use callboard_store::query;
use serde_json::json;

use crate::support::{FakeProvider, Fixture, component, location, versioned};

const FILES: usize = 30;

fn url(number: usize) -> String {
    format!("https://x.example/{number}.yaml")
}

#[tokio::test]
async fn all_arrive() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    // Each file is the next one's successor, then some hold the entities of two others, then everything is as before.
    let of_file: [fn(usize) -> Vec<usize>; 4] = [
        |file| vec![file],
        |file| vec![(file + 1) % FILES],
        |file| if file.is_multiple_of(3) { vec![] } else { vec![file, file / 3 * 3] },
        |file| vec![file],
    ];
    for (round, of_file) in of_file.into_iter().enumerate() {
        for file in 0..FILES {
            let parts: Vec<String> = of_file(file).iter().map(|number| component(&format!("c{number}"), "")).collect();
            fixture.web.put(&url(file), &parts.join("---\n"));
        }
        let version = round.to_string();
        provider.items((0..FILES).map(|file| versioned(location(&url(file)), Some(&version), &[])).collect());
        fixture.run_provider().await;
        for number in 0..FILES {
            let name = format!("component:default/c{number}");
            let files: Vec<String> = (0..FILES).filter(|file| of_file(*file).contains(&number)).map(url).collect();
            let found = fixture
                .becomes(&name, |entity| {
                    let from = entity["metadata"]["annotations"]["backstage.io/managed-by-location"].as_str();
                    files.iter().any(|file| from.and_then(|from| from.strip_prefix("url:")) == Some(file))
                })
                .await;
            assert_eq!(found.get("status"), None, "round {round}");
        }
        fixture.settles().await;
        assert_eq!(fixture.refs().await.len(), 2 * FILES, "round {round}");
    }
    let lost = fixture.db.fetch_all(query("SELECT 1 FROM contender", vec![])).await.unwrap();
    assert_eq!(lost.len(), 0, "nobody contends any more");
}
