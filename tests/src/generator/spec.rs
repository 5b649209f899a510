//! What an entity's `spec` says, with as many values of each sort as organisations of that size have.

use serde_json::{Value, json};

use super::random::Random;
use super::{Generator, Kind};

const LIFECYCLES: &[&str] = &["experimental", "deprecated", "beta", "retired"];
const API_TYPES: &[&str] = &["openapi", "asyncapi", "graphql", "grpc"];
const COMPONENT_TYPES: u64 = 30;
const RESOURCE_TYPES: u64 = 40;
const TAGS: u64 = 318;

/// The components that scenario 12 asks for.
pub(super) const HUBS: [u64; 2] = [7, 8];

/// APIs of a component, and what it uses of others'.
const PROVIDED: u64 = 4;
const CONSUMED: u64 = 3;
/// Components that a component or a resource depends on.
const NEEDED_BY_A_COMPONENT: u64 = 2;
const NEEDED_BY_A_RESOURCE: u64 = 5;

/// One, and `java` on four of ten.
pub(super) fn tags(kind: Kind, random: &mut Random) -> Vec<String> {
    if matches!(kind, Kind::User | Kind::Group) {
        return Vec::new();
    }
    let mut tags = Vec::new();
    if random.percent(40) {
        tags.push("java".to_owned());
    }
    tags.push(format!("tag-{}", random.skewed(TAGS - 1)));
    tags
}

impl Generator {
    pub(super) fn spec(&self, kind: Kind, number: u64, random: &mut Random) -> Value {
        match kind {
            Kind::Group => self.group(number, random),
            Kind::Domain => json!({ "owner": self.owner(random) }),
            Kind::System => {
                json!({ "owner": self.owner(random), "domain": self.short(Kind::Domain, random.skewed(self.count(Kind::Domain))) })
            }
            Kind::Component => self.component(number, random),
            Kind::Api => json!({
                "type": random.pick(API_TYPES),
                "lifecycle": lifecycle(random),
                "owner": self.owner(random),
                "system": self.system(random),
                "definition": format!("openapi: 3.1.0\ninfo:\n  title: {}\n  version: 1.{}.0\n{}paths: {{}}\n",
                    self.short(Kind::Api, number), random.below(20), "# Generated, and longer than a value that is indexed.\n".repeat(6)),
            }),
            Kind::Resource => self.resource(number, random),
            Kind::Template => json!({
                "type": "service",
                "owner": self.owner(random),
                "steps": [{ "id": "fetch", "name": "Fetch", "action": "fetch:template", "input": { "url": "./skeleton" } }],
            }),
            Kind::User => self.user(number, random),
        }
    }

    fn group(&self, number: u64, random: &mut Random) -> Value {
        let name = self.short(Kind::Group, number);
        // A tree beside the group of everybody; no group is its own ancestor.
        let parent = (number > 1).then(|| self.short(Kind::Group, 1 + random.below(number - 1)));
        let parent = parent.map(|parent| ("parent".to_owned(), json!(parent)));
        let rest = [
            ("type".to_owned(), json!("team")),
            ("profile".to_owned(), json!({ "displayName": name, "email": format!("{name}@org.example") })),
            ("children".to_owned(), json!([])),
        ];
        rest.into_iter().chain(parent).collect()
    }

    fn user(&self, number: u64, random: &mut Random) -> Value {
        let name = self.short(Kind::User, number);
        let mut groups = vec![self.owner(random)];
        if number < self.members() {
            groups.push(self.short(Kind::Group, 0));
        }
        json!({
            "profile": {
                "displayName": super::words::title(&name),
                "email": format!("{name}@org.example"),
                "picture": format!("https://org.example/pictures/{}.png", random.below(500)),
            },
            "memberOf": groups,
        })
    }

    fn component(&self, number: u64, random: &mut Random) -> Value {
        let apis = self.count(Kind::Api);
        let provided: Vec<_> =
            (0..PROVIDED).map(|api| self.short(Kind::Api, (number * PROVIDED + api) % apis)).collect();
        let consumed: Vec<_> = (0..CONSUMED).map(|_| self.short(Kind::Api, random.skewed(apis))).collect();
        json!({
            "type": kind_of_component(random),
            "lifecycle": lifecycle(random),
            "owner": self.owner(random),
            "system": self.system(random),
            "providesApis": unique(provided),
            "consumesApis": unique(consumed),
            "dependsOn": self.components(NEEDED_BY_A_COMPONENT, random),
        })
    }

    fn resource(&self, number: u64, random: &mut Random) -> Value {
        let [workflows, datasets] = self.dependents();
        let mut needs = self.components(NEEDED_BY_A_RESOURCE, random);
        let kind = if workflows.contains(&number) {
            needs.push(self.entity_ref(Kind::Component, HUBS[0]));
            "workflow".to_owned()
        } else if datasets.contains(&number) {
            needs.push(self.entity_ref(Kind::Component, HUBS[1]));
            "dataset".to_owned()
        } else {
            format!("resource-{}", random.skewed(RESOURCE_TYPES))
        };
        json!({
            "type": kind,
            "owner": self.owner(random),
            "system": self.system(random),
            "dependsOn": needs,
        })
    }

    /// Components other than the hubs, so that these have exactly the dependents that are counted.
    fn components(&self, many: u64, random: &mut Random) -> Vec<String> {
        let components = self.count(Kind::Component);
        let others = (0..many).map(|_| random.below(components)).filter(|number| !HUBS.contains(number));
        unique(others.map(|number| self.entity_ref(Kind::Component, number)).collect())
    }

    fn owner(&self, random: &mut Random) -> String {
        self.short(Kind::Group, 1 + random.skewed(self.count(Kind::Group) - 1))
    }

    fn system(&self, random: &mut Random) -> String {
        self.short(Kind::System, random.skewed(self.count(Kind::System)))
    }

    /// A ref as people write it where its kind is clear.
    fn short(&self, kind: Kind, number: u64) -> String {
        self.name(kind, number)
    }
}

fn kind_of_component(random: &mut Random) -> String {
    match random.skewed(COMPONENT_TYPES) {
        0 => "service".to_owned(),
        1 => "website".to_owned(),
        2 => "library".to_owned(),
        other => format!("type-{other}"),
    }
}

fn lifecycle(random: &mut Random) -> &'static str {
    if random.percent(70) { "production" } else { random.pick(LIFECYCLES) }
}

fn unique(mut refs: Vec<String>) -> Vec<String> {
    refs.sort();
    refs.dedup();
    refs
}
