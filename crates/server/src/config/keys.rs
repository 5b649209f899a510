//! The one description of the configuration: the checks, `docs/config.md` and `docs/config.schema.json` are made from
//! it.
//!
//! A path is dotted; `*` stands for any key, `[]` for the items of a list, and a key with a dot in it is in quotes.

mod backstage;
mod own;
mod proxy;
pub(crate) mod sign_in;

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A key of the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Such as `plugins.*.source`.
    pub path: &'static str,
    /// What may be there.
    pub kind: Kind,
    /// What becomes of it.
    pub state: State,
    /// For people; of a key without effect, what it would do.
    pub text: &'static str,
    /// What holds where it is absent.
    pub default: Option<&'static str>,
    /// Whether the mapping that it belongs to must have it.
    pub required: bool,
}

/// What may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text that is not empty.
    Text,
    /// The same, which nothing ever prints.
    Secret,
    /// An absolute http or https URL.
    Url,
    /// true or false, or a word that says the same.
    Boolean,
    /// A number.
    Number,
    /// `30 minutes`, `PT30M` or `{ minutes: 30 }`.
    Duration,
    /// A duration, or false.
    DurationOrFalse,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An entity ref with its kind.
    EntityRef,
    /// A list of texts.
    Texts,
    /// A mapping with the keys described below this one.
    Mapping,
    /// A list with the items described below this one.
    List,
    /// A single mapping or a list of them.
    MappingOrList,
    /// A text, or a mapping.
    TextOrMapping,
    /// true or false, or a mapping.
    BooleanOrMapping,
    /// Whatever it is.
    Any,
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It does what it says.
    Honoured,
    /// Backstage knows it; here it has no effect, yet.
    Later,
    /// The bundled plugin with this id reads it, where it is listed and granted.
    Plugin(&'static str),
    /// Backstage refuses it as well.
    Removed,
}

impl Key {
    const fn new(path: &'static str, kind: Kind, text: &'static str) -> Self {
        Self { path, kind, state: State::Honoured, text, default: None, required: false }
    }

    const fn later(path: &'static str, text: &'static str) -> Self {
        Self { state: State::Later, ..Self::new(path, Kind::Any, text) }
    }

    const fn plugin(path: &'static str, kind: Kind, plugin: &'static str, text: &'static str) -> Self {
        Self { state: State::Plugin(plugin), ..Self::new(path, kind, text) }
    }

    const fn removed(path: &'static str, text: &'static str) -> Self {
        Self { state: State::Removed, ..Self::new(path, Kind::Any, text) }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

/// The blocks that are Callboard's own: nobody else has keys there, so that an unknown one is a mistake.
pub(crate) const OWN_BLOCKS: &[&str] =
    &["plugins", "host", "apis", "catalog.push", "auth.providers.development", "permission.policy", "permission.roles"];

/// Every key, in the order of the documentation.
pub(crate) fn all() -> impl Iterator<Item = &'static Key> {
    own::KEYS.iter().chain(sign_in::KEYS).chain(proxy::KEYS).chain(backstage::KEYS)
}

/// The keys as a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Branch {
    /// What is known of the path up to here; none of a mapping that only has children.
    pub key: Option<&'static Key>,
    /// By name.
    pub children: BTreeMap<&'static str, Branch>,
    /// `*`.
    pub any: Option<Box<Branch>>,
    /// The same for keys that begin with a slash.
    pub routes: Option<Box<Branch>>,
    /// `[]`.
    pub item: Option<Box<Branch>>,
}

impl Branch {
    /// The branch of an entry.
    #[must_use]
    pub(crate) fn entry(&self, key: &str) -> Option<&Self> {
        let route = self.routes.as_deref().filter(|_| key.starts_with('/'));
        self.children.get(key).or(route).or(self.any.as_deref())
    }

    fn insert(&mut self, key: &'static Key) {
        let mut branch = self;
        for segment in segments(key.path) {
            let (name, item) = segment.strip_suffix("[]").map_or((segment, false), |name| (name, true));
            branch = match name {
                "*" => branch.any.get_or_insert_default(),
                name => branch.children.entry(name).or_default(),
            };
            if item {
                branch = branch.item.get_or_insert_default();
            }
        }
        branch.key = Some(key);
    }
}

/// A path's keys; one that has a dot in it stands in single quotes.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    path.split(move |c| {
        quoted ^= c == '\'';
        c == '.' && !quoted
    })
    .map(|segment| segment.trim_matches('\''))
}

/// The root of the tree. A plugin's limits are those of the host, and endpoints may stand directly in `proxy`, as they did
/// in older versions of Backstage.
pub(crate) fn tree() -> &'static Branch {
    static TREE: OnceLock<Branch> = OnceLock::new();
    TREE.get_or_init(|| {
        let mut root = Branch::default();
        all().for_each(|key| root.insert(key));
        sign_in::complete(&mut root);
        let limits = root.children.get("host").and_then(|host| host.children.get("limits")).cloned();
        let plugin = root.children.get_mut("plugins").and_then(|plugins| plugins.any.as_deref_mut());
        if let (Some(limits), Some(of_plugin)) = (limits, plugin.and_then(|plugin| plugin.children.get_mut("limits"))) {
            of_plugin.children = limits.children;
        }
        if let Some(proxy) = root.children.get_mut("proxy") {
            proxy.routes = proxy.children.get("endpoints").and_then(|endpoints| endpoints.any.clone());
        }
        root
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_description_is_in_order() {
        let mut seen = BTreeSet::new();
        for key in all() {
            assert!(seen.insert(key.path), "{} is described twice", key.path);
            assert!(!key.text.ends_with('.'), "{}: the text goes into a table, without its last full stop", key.path);
            if key.state == State::Later {
                assert!(key.text.starts_with("would "), "{}: say what it would do", key.path);
            }
            if let State::Plugin(_) = key.state {
                assert!(key.path.starts_with("catalog.providers."), "{}: a plugin reads it?", key.path);
            }
        }
        for own in OWN_BLOCKS {
            assert!(all().any(|key| key.path == *own), "{own} is not described");
        }
    }
}
