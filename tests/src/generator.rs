//! A catalog of any size in the shape that the field has published: 739,000 entities, of which 46,036 are components,
//! 202,704 APIs, 257,064 subcomponents and 14 templates, with some 23 index terms and 8.3 relations each.
//!
//! The subcomponents of that catalog are of a kind of its company's own. Here they are Resources, whose schema is the
//! nearest: a type, an owner, a system, and what they depend on. The kinds that the publication does not count are
//! groups, systems and domains in likely numbers, and users for the rest.
//!
//! Every entity is made from the seed and its number alone. So any of them can be asked for at any time, nothing is
//! kept, and the same seed gives the same bytes.

use std::fmt::Write;
use std::ops::Range;

use callboard_model::filter::Predicate;
use serde_json::{Value, json};

mod random;
mod spec;
mod words;
mod yaml;

use random::Random;
pub use words::{COMMON, RARE};
pub use yaml::{document, write};

/// The size of the published catalog.
pub const PUBLISHED: u64 = 739_000;

/// Entities of one file, and files of one root: what organisations with one file per repository folder have.
const PER_FILE: u64 = 100;

/// Members of the largest group, at the published size.
const MEMBERS: u64 = 100_000;
const COMPONENTS: u64 = 46_036;
const APIS: u64 = 202_704;
const RESOURCES: u64 = 257_064;
const TEMPLATES: u64 = 14;
const GROUPS: u64 = 7_042;
const SYSTEMS: u64 = 12_000;
const DOMAINS: u64 = 300;
/// What leads to the two components of scenario 12.
const WORKFLOWS: u64 = 1_084;
const DATASETS: u64 = 934;

/// Groups that are "mine" where a caller may see what these own.
const MINE: u64 = 20;

/// Where the repositories seem to be.
const ORGANISATION: &str = "https://scm.example/org";
/// Where the files seem to be.
const BASE: &str = "https://scm.example/org/catalog/blob/main";

/// What an entity is. Numbered within its kind from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Group,
    Domain,
    System,
    Component,
    Api,
    Resource,
    Template,
    User,
}

impl Kind {
    /// In the order of their numbers.
    pub const ALL: [Kind; 8] = [
        Kind::Group,
        Kind::Domain,
        Kind::System,
        Kind::Component,
        Kind::Api,
        Kind::Resource,
        Kind::Template,
        Kind::User,
    ];

    /// As an entity has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Group => "Group",
            Kind::Domain => "Domain",
            Kind::System => "System",
            Kind::Component => "Component",
            Kind::Api => "API",
            Kind::Resource => "Resource",
            Kind::Template => "Template",
            Kind::User => "User",
        }
    }
}

/// A catalog that can be asked for any of its parts.
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    size: u64,
    roots: u64,
    files: u64,
    counts: [u64; 8],
}

impl Generator {
    /// One with so many entities, the Locations of its files among them. At least 200, so that every kind is there.
    #[must_use]
    pub fn new(seed: u64, size: u64) -> Self {
        let size = size.max(200);
        let scaled = |published: u64, least: u64| (published * size / PUBLISHED).max(least);
        let per_root = PER_FILE * (PER_FILE + 1) + 1;
        let roots = size.div_ceil(per_root);
        let files = (size - roots).div_ceil(PER_FILE + 1);
        let entities = size - roots - files;
        let mut counts = [
            scaled(GROUPS, MINE + 4),
            scaled(DOMAINS, 2),
            scaled(SYSTEMS, 4),
            scaled(COMPONENTS, 10),
            scaled(APIS, 1),
            scaled(RESOURCES, 1),
            scaled(TEMPLATES, 1),
            0,
        ];
        let users = entities.saturating_sub(counts.iter().sum());
        if let Some(last) = counts.last_mut() {
            *last = users;
        }
        Self { seed, size, roots, files, counts }
    }

    /// All entities, the Locations among them.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many there are of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(kind as usize).copied().unwrap_or_default()
    }

    /// Entities that are in files: all but Locations.
    #[must_use]
    pub fn entities(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many files hold them.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files
    }

    /// How many files hold the Locations of those files.
    #[must_use]
    pub fn roots(&self) -> u64 {
        self.roots
    }

    /// Members of the largest group: the first so many users.
    #[must_use]
    pub fn members(&self) -> u64 {
        (MEMBERS * self.size / PUBLISHED).min(self.count(Kind::User))
    }

    /// The ref of an entity.
    #[must_use]
    pub fn entity_ref(&self, kind: Kind, number: u64) -> String {
        format!("{}:default/{}", kind.name().to_lowercase(), self.name(kind, number))
    }

    /// The refs of the groups that are somebody's own: large ones and small ones.
    #[must_use]
    pub fn my_groups(&self) -> Vec<String> {
        let owners = self.count(Kind::Group) - 1;
        (0..MINE).map(|number| self.entity_ref(Kind::Group, 1 + number * owners / MINE)).collect()
    }

    /// What whoever may see what their groups own may see.
    #[must_use]
    pub fn my_access(&self) -> Predicate {
        Predicate::related_to("ownedBy", self.my_groups())
    }

    /// The components that scenario 12 asks for, with the type of the resources that depend on each and how many do.
    #[must_use]
    pub fn hubs(&self) -> [(String, &'static str, u64); 2] {
        let [workflows, datasets] = self.dependents();
        [
            (self.entity_ref(Kind::Component, spec::HUBS[0]), "workflow", workflows.end - workflows.start),
            (self.entity_ref(Kind::Component, spec::HUBS[1]), "dataset", datasets.end - datasets.start),
        ]
    }

    /// The resources that depend on each of the hubs.
    fn dependents(&self) -> [Range<u64>; 2] {
        let scaled = |published: u64| (published * self.size / PUBLISHED).max(1);
        let (workflows, datasets) = (scaled(WORKFLOWS), scaled(DATASETS));
        [0..workflows, workflows..workflows + datasets]
    }

    /// An entity by its number among all that are in files.
    #[must_use]
    pub fn entity(&self, number: u64) -> Value {
        let mut before = 0;
        for kind in Kind::ALL {
            let count = self.count(kind);
            if number < before + count {
                return self.of_kind(kind, number - before);
            }
            before += count;
        }
        Value::Null
    }

    /// An entity by its number within its kind.
    #[must_use]
    pub fn of_kind(&self, kind: Kind, number: u64) -> Value {
        let mut random = Random::of(self.seed, kind as u64, number);
        let name = self.name(kind, number);
        let title = words::title(&name);
        let description = words::description(&mut random, &title);
        let metadata = json!({
            "name": name,
            "title": title,
            "description": description,
            "tags": spec::tags(kind, &mut random),
            "annotations": {
                // As most have it: a repository each, wherever the catalog reads the entity from.
                "backstage.io/source-location": format!("url:{ORGANISATION}/{name}/tree/main/"),
                "backstage.io/view-url": format!("{ORGANISATION}/{name}/blob/main/catalog-info.yaml"),
                "backstage.io/edit-url": format!("{ORGANISATION}/{name}/edit/main/catalog-info.yaml"),
                "sonarqube.example/project-key": format!("org:{}:{name}", kind.name().to_lowercase()),
            },
        });
        let api_version =
            if kind == Kind::Template { "scaffolder.backstage.io/v1beta3" } else { "backstage.io/v1alpha1" };
        json!({
            "apiVersion": api_version,
            "kind": kind.name(),
            "metadata": metadata,
            "spec": self.spec(kind, number, &mut random),
        })
    }

    /// The numbers of a file's entities. Each file has some of every kind.
    pub fn in_file(&self, file: u64) -> impl Iterator<Item = u64> + use<> {
        let entities = self.entities();
        (file..entities).step_by(usize::try_from(self.files).unwrap_or(usize::MAX).max(1))
    }

    /// A file as YAML.
    #[must_use]
    pub fn file(&self, file: u64) -> String {
        let mut text = String::new();
        for number in self.in_file(file) {
            text.push_str("---\n");
            write(&mut text, &self.entity(number));
        }
        text
    }

    /// The file of an entity, by the entity's number.
    #[must_use]
    pub fn file_of(&self, number: u64) -> u64 {
        number % self.files.max(1)
    }

    /// The root of a file.
    #[must_use]
    pub fn root_of(&self, file: u64) -> u64 {
        file / PER_FILE
    }

    /// The files of a root.
    #[must_use]
    pub fn in_root(&self, root: u64) -> Range<u64> {
        root * PER_FILE..((root + 1) * PER_FILE).min(self.files)
    }

    /// The number of an entity by its number within its kind.
    #[must_use]
    pub fn number_of(&self, kind: Kind, number: u64) -> u64 {
        Kind::ALL.iter().take_while(|before| **before != kind).map(|before| self.count(*before)).sum::<u64>() + number
    }

    /// The file that leads to a hundred files, as YAML.
    #[must_use]
    pub fn root(&self, root: u64) -> String {
        let mut text = String::new();
        for file in self.in_root(root) {
            text.push_str("---\n");
            write(&mut text, &self.location(file));
        }
        text
    }

    /// The Location of a file, as it stands in its root.
    #[must_use]
    pub fn location(&self, file: u64) -> Value {
        json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Location",
            "metadata": { "name": format!("file-{file:06}") },
            "spec": { "type": "url", "target": Self::file_url(file) },
        })
    }

    /// Where a file seems to be.
    #[must_use]
    pub fn file_url(file: u64) -> String {
        format!("{BASE}/files/{file:06}.yaml")
    }

    /// Where a root seems to be.
    #[must_use]
    pub fn root_url(root: u64) -> String {
        format!("{BASE}/roots/{root:06}.yaml")
    }

    fn name(&self, kind: Kind, number: u64) -> String {
        words::name(self.seed, kind, number)
    }
}

/// A number below another that depends on nothing but these.
#[must_use]
pub fn below(seed: u64, number: u64, limit: u64) -> u64 {
    Random::of(seed, u64::MAX, number).below(limit)
}

/// A short hash of a text, for comparing what two runs made.
#[must_use]
pub fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    // FNV-1a: it need not withstand anyone, only tell apart.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in texts.into_iter().flat_map(|text| text.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut text = String::new();
    let _ = write!(text, "{hash:016x}");
    text
}

#[cfg(test)]
mod tests;
