//! The twelve queries that the leader publishes figures of, at the catalog's functions and through HTTP, for somebody who
//! may see everything and for somebody who may see what their groups own.

use std::sync::Arc;

use anyhow::{Context, Result};
use callboard_catalog::{Catalog, Direction, FullText, Order, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use serde_json::json;

use super::load::Request;
use super::report::{Figure, Unit};
use super::timing::{Rounds, repeat};
use super::{Engine, Section};
use crate::client::Client;
use crate::generator::{COMMON, Generator, Kind, RARE};

/// Whatever somebody may see, nothing takes longer, in milliseconds.
const CONDITIONAL: f64 = 200.0;

/// What is asked of the catalog.
enum Ask {
    Page(Box<Query>),
    Facets(&'static str, Option<Predicate>),
    Entity(EntityRef),
    Ancestry(EntityRef),
}

/// One of the battery.
pub struct Scenario {
    name: &'static str,
    ask: Ask,
    http: Request,
    /// Milliseconds that the leader publishes.
    published: Option<f64>,
    /// Milliseconds that it is to take at most.
    target: Option<f64>,
}

impl Scenario {
    fn new(name: &'static str, ask: Ask, http: Request) -> Self {
        Self { name, ask, http, published: None, target: None }
    }

    fn published(mut self, milliseconds: f64, target: f64) -> Self {
        (self.published, self.target) = (Some(milliseconds), Some(target));
        self
    }
}

/// The scenarios, those of the publication first, with its numbers. The eleventh has no query: orphans are found by what
/// changes, which the ingestion measures.
pub fn scenarios(generator: &Generator) -> Result<Vec<Scenario>> {
    let by_query = "api/catalog/entities/by-query";
    let component = || Some(Predicate::equals("kind", "component"));
    let page = |filter: Option<Predicate>, order: Option<&str>, limit: u64, total: bool| {
        let order = order.map(|field| Order { field: field.to_owned(), direction: Direction::Asc });
        Query { filter, order: order.into_iter().collect(), limit, total, ..Query::default() }
    };
    let asked = |query: Query| Ask::Page(Box::new(query));
    let get = |rest: &str| Request::get(format!("{by_query}?{rest}"));
    let text = |term: &str| {
        let full_text = Some(FullText { term: term.to_owned(), fields: vec!["metadata.name".to_owned()] });
        let query = Query { full_text, ..page(component(), Some("metadata.name"), 21, false) };
        let rest = format!(
            "filter=kind=component&orderField=metadata.name&limit=21&totalItems=exclude\
             &fullTextFilterTerm={term}&fullTextFilterFields=metadata.name"
        );
        (asked(query), get(&rest))
    };
    let facets = |facet: &'static str, kind: &str| {
        let path = format!("api/catalog/entity-facets?facet={facet}&filter=kind={kind}");
        (Ask::Facets(facet, Some(Predicate::equals("kind", kind))), Request::get(path))
    };
    let some = generator.entity_ref(Kind::Component, generator.count(Kind::Component) / 2);
    let parsed = EntityRef::parse(&some, None, None)?;
    let by_name = format!("api/catalog/entities/by-name/component/default/{}", parsed.name());

    let hubs = generator.hubs();
    let branch = |(hub, kind, _): &(String, &'static str, u64)| {
        Predicate::All(vec![
            Predicate::equals("kind", "resource"),
            Predicate::equals("spec.type", kind),
            Predicate::related_to("dependsOn", [hub]),
        ])
    };
    let either = Predicate::Any(hubs.iter().map(branch).collect());
    let body = json!({
        "query": either.to_value(),
        "orderBy": [{ "field": "metadata.name", "order": "asc" }],
        "limit": 2001,
        "totalItems": "exclude",
    });
    let hub = hubs.first().map(|(hub, ..)| hub.clone()).context("there are two")?;
    let inbound = |target: &String| {
        let query = page(Some(Predicate::related_to("dependsOn", [target])), None, 0, true);
        (asked(query), get(&format!("limit=0&filter=relations.dependsOn={target}")))
    };
    let three = Predicate::All(vec![
        Predicate::equals("kind", "component"),
        Predicate::equals("spec.lifecycle", "production"),
        Predicate::equals("metadata.tags", "java"),
    ]);
    let three_rest = "filter=kind=component,spec.lifecycle=production,metadata.tags=java";

    let (of_one, of_one_http) = inbound(&some);
    let (of_hub, of_hub_http) = inbound(&hub);
    let (common, common_http) = text(COMMON);
    let (rare, rare_http) = text(RARE);
    let (small, small_http) = facets("spec.type", "template");
    let (large, large_http) = facets("spec.type", "component");
    let (owners, owners_http) = facets("spec.owner", "component");
    let (tags, tags_http) = facets("metadata.tags", "component");
    Ok(vec![
        Scenario::new(
            "1 components by name, 21 rows",
            asked(page(component(), Some("metadata.name"), 21, false)),
            get("filter=kind=component&orderField=metadata.name&limit=21&totalItems=exclude"),
        )
        .published(22.6, 0.5),
        Scenario::new(
            "2 how many components",
            asked(page(component(), None, 0, true)),
            get("filter=kind=component&limit=0"),
        )
        .published(452.5, 0.2),
        Scenario::new(
            "3 first page of everything",
            asked(page(None, None, 21, false)),
            get("limit=21&totalItems=exclude"),
        )
        .published(0.146, 0.15),
        Scenario::new("4 facet of a small kind", small, small_http).published(0.838, 0.3),
        Scenario::new("5 facet spec.type of components", large, large_http).published(631.7, 0.5),
        Scenario::new("6 by ref", Ask::Entity(parsed.clone()), Request::get(by_name.clone())).published(0.124, 0.12),
        Scenario::new("7 a common text in names of components", common, common_http).published(14.9, 2.0),
        Scenario::new("7 a rare text in names of components", rare, rare_http).published(14.9, 6.0),
        Scenario::new("8 ancestry", Ask::Ancestry(parsed), Request::get(format!("{by_name}/ancestry")))
            .published(0.134, 0.25),
        Scenario::new("9 how many depend on one", of_one, of_one_http).published(0.215, 0.25),
        // The publication's has none; this is what its twelfth begins with.
        Scenario::new("9 how many depend on what most depend on", of_hub, of_hub_http).published(0.215, 0.25),
        Scenario::new("10 how many in all", asked(page(None, None, 0, true)), get("limit=0")).published(514.0, 0.2),
        Scenario::new(
            "12 either of two branches by name, 2,001 rows",
            asked(page(Some(either), Some("metadata.name"), 2001, false)),
            Request::post(by_query, body),
        )
        .published(2_760.0, 30.0),
        // What the publication does not have, and a page does all the time.
        Scenario::new(
            "three filters by name, 21 rows and the total",
            asked(page(Some(three), Some("metadata.name"), 21, true)),
            get(&format!("{three_rest}&orderField=metadata.name&limit=21")),
        ),
        Scenario::new("facet metadata.tags of components", tags, tags_http),
        Scenario::new("facet spec.owner of components", owners, owners_http),
    ])
}

/// Those whose names begin so, at the catalog's functions.
pub async fn functions(engine: Engine, generator: &Generator, catalog: &Catalog, only: &str) -> Result<Vec<Figure>> {
    let mine = Access::Where(generator.my_access());
    let mut figures = Vec::new();
    for (access, who) in [(&Access::All, ""), (&mine, ", of my groups")] {
        for scenario in scenarios(generator)?.into_iter().filter(|scenario| scenario.name.starts_with(only)) {
            let asked = Arc::new((catalog.clone(), access.clone(), scenario.ask));
            // In a task, as a server answers: what waits beside the runtime's threads is woken by one of them first.
            let times = tokio::spawn(repeat(Rounds::QUERY, move || {
                let asked = Arc::clone(&asked);
                async move { ask(&asked.0, &asked.1, &asked.2).await }
            }));
            let times = times.await?.with_context(|| scenario.name)?;
            let name = format!("{}{who}", scenario.name);
            let figure = Figure::new(Section::Battery, name, times.p50(), Unit::Milliseconds)
                .on(engine, generator.size())
                .p99(times.p99());
            figures.push(match (access, scenario.published, scenario.target) {
                (Access::All, Some(published), Some(target)) => figure.at_most(target).leader(published),
                (Access::All, ..) => figure,
                _ => figure.at_most(CONDITIONAL),
            });
        }
    }
    Ok(figures)
}

/// All of them through HTTP, one after the other on one connection. `who` says whom the client is signed in as.
pub async fn http(engine: Engine, generator: &Generator, client: &Client, who: Option<&str>) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for scenario in scenarios(generator)? {
        let send = || async { scenario.http.send(client).await.map(|_| ()) };
        match send().await {
            // An entity that somebody may not see is a 404, which is no figure.
            Err(_) if who.is_some() => continue,
            answered => answered.with_context(|| scenario.name)?,
        }
        let times = repeat(Rounds::QUERY, send).await.with_context(|| scenario.name)?;
        let name = format!("{}{}, through HTTP", scenario.name, who.unwrap_or_default());
        let figure = Figure::new(Section::Battery, name, times.p50(), Unit::Milliseconds)
            .on(engine, generator.size())
            .p99(times.p99());
        figures.push(if who.is_some() { figure.at_most(CONDITIONAL) } else { figure });
    }
    Ok(figures)
}

async fn ask(catalog: &Catalog, access: &Access, ask: &Ask) -> Result<()> {
    match ask {
        Ask::Page(query) => {
            std::hint::black_box(catalog.query(access, query).await?);
        }
        Ask::Facets(facet, filter) => {
            let facets = [(*facet).to_owned()];
            std::hint::black_box(catalog.facets(access, &facets, filter.as_ref()).await?);
        }
        Ask::Entity(entity_ref) => {
            std::hint::black_box(catalog.by_ref(access, entity_ref).await?);
        }
        Ask::Ancestry(entity_ref) => match catalog.ancestry(access, entity_ref).await {
            // Who may not see it is told so, which is an answer as well.
            Err(callboard_catalog::Error::NotFound(_)) => {}
            ancestry => {
                std::hint::black_box(ancestry?);
            }
        },
    }
    Ok(())
}
