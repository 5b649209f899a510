use std::collections::{HashMap, HashSet};

use callboard_model::entity::Entity;
use callboard_model::filter::search_rows;
use callboard_model::{relations, validate, yaml};

use super::*;

const SEED: u64 = 20_261_120;

#[test]
fn counts() {
    fn check(size: u64, expected: [u64; 8]) {
        let generator = Generator::new(SEED, size);
        assert_eq!(Kind::ALL.map(|kind| generator.count(kind)), expected, "{size}");
        assert_eq!(generator.entities() + generator.files() + generator.roots(), size);
        assert_eq!(
            (0..generator.files()).map(|file| generator.in_file(file).count() as u64).sum::<u64>(),
            generator.entities()
        );
    }
    check(PUBLISHED, [7_042, 300, 12_000, 46_036, 202_704, 257_064, 14, 206_449]);
    check(100_000, [952, 40, 1_623, 6_229, 27_429, 34_785, 1, 27_941]);
    check(10_000, [95, 4, 162, 622, 2_742, 3_478, 1, 2_796]);
    check(1_000, [24, 2, 16, 62, 274, 347, 1, 263]);
    assert_eq!(Generator::new(SEED, PUBLISHED).members(), 100_000);
}

/// The same seed gives the same bytes, in whatever order they are asked for; another seed gives others.
#[test]
fn deterministic() {
    let text = |seed: u64| {
        let generator = Generator::new(seed, 1_000);
        let mut files: Vec<_> = (0..generator.files()).rev().map(|file| generator.file(file)).collect();
        files.reverse();
        files.extend((0..generator.roots()).map(|root| generator.root(root)));
        fingerprint(files.iter().map(String::as_str))
    };
    assert_eq!(text(SEED), text(SEED));
    assert_ne!(text(SEED), text(SEED + 1));
    // Changes with what is generated, on purpose: figures of two versions are then not of the same data.
    assert_eq!(text(SEED), "d80532fc5023a45f");
}

/// Every entity is valid, has a name of its own, and reads from YAML as it was made; together they have the shape.
#[test]
fn shape() {
    let generator = Generator::new(SEED, 5_000);
    let (mut bytes, mut terms, mut related) = (0, 0, 0);
    let mut refs = HashSet::new();
    let mut values: HashMap<String, HashSet<String>> = HashMap::new();
    let mut inbound: HashMap<String, u64> = HashMap::new();
    for file in 0..generator.files() {
        let documents = yaml::documents(&generator.file(file), &yaml::Limits::default()).unwrap();
        for (document, number) in documents.into_iter().zip(generator.in_file(file)) {
            let value = document.unwrap().value;
            assert_eq!(value, generator.entity(number));
            let mut entity = Entity::from_value(value).unwrap();
            validate::check(&mut entity).unwrap();
            assert!(refs.insert(entity.entity_ref().to_string()));
            // What the catalog adds to whatever comes from a URL.
            let url = Generator::file_url(file);
            for (key, text) in [
                ("backstage.io/managed-by-location", format!("url:{url}")),
                ("backstage.io/managed-by-origin-location", format!("url:{}", Generator::root_url(0))),
            ] {
                entity.set_annotation(key, text);
            }
            let of_entity = relations::of(&entity).unwrap();
            related += of_entity.len();
            for relation in of_entity.iter().filter(|relation| relation.source == entity.entity_ref()) {
                *inbound.entry(relation.target.to_string()).or_default() += 1;
            }
            let mut value = entity.into_value();
            bytes += value.to_string().len();
            value["metadata"]["uid"] = json!(format!("uid-{number}"));
            let rows = search_rows(&value).unwrap();
            terms += rows.len();
            for row in rows {
                values.entry(row.key).or_default().extend(row.value);
            }
        }
    }
    let each = |total: usize| total as f64 / generator.entities() as f64;
    assert!((1_150.0..1_300.0).contains(&each(bytes)), "{} bytes", each(bytes));
    assert!((23.0..24.5).contains(&each(terms)), "{} terms", each(terms));
    assert!((8.0..8.8).contains(&each(related)), "{} relations", each(related));
    assert_eq!(inbound["group:default/everyone"], generator.members());
    for (hub, _, dependents) in generator.hubs() {
        // Its owner, its system and its APIs name it as well.
        assert!((dependents..dependents + 20).contains(&inbound[&hub]), "{hub}: {}", inbound[&hub]);
    }
    let distinct = |key: &str| values[key].len();
    assert_eq!(distinct("metadata.tags"), 318);
    // The second query filters by type within a kind, so types of all kinds count here.
    assert!(distinct("spec.type") >= 60, "{} types", distinct("spec.type"));
    assert_eq!(distinct("spec.lifecycle"), 5);
    let wide = values.iter().filter(|(_, values)| values.len() as u64 * 10 > generator.entities() * 9).count();
    assert_eq!(wide, 8, "keys are nearly unique");
}

#[test]
fn my_groups_are_there() {
    for size in [200, 1_000, 100_000] {
        let generator = Generator::new(SEED, size);
        let groups: HashSet<_> = generator.my_groups().into_iter().collect();
        assert_eq!(groups.len(), 20, "{size}");
        assert!(!groups.contains("group:default/everyone"));
    }
}
