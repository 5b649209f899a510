//! A value of the configuration that knows where it was written.
//!
//! Layers are merged, substituted and checked in this form, so that every message can name the file and the line.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// A value and where it comes from.
#[derive(Clone, PartialEq)]
pub(crate) struct Node {
    /// The value itself.
    pub data: Data,
    /// Where it was written; for an entry of a mapping, where its key is.
    pub origin: Origin,
    /// Whether it came out of the environment or a file, so that it may be a secret wherever it stands.
    pub substituted: bool,
}

/// JSON's data model, with mappings in the order of the file.
#[derive(Clone, PartialEq)]
pub(crate) enum Data {
    /// Hides what a lower layer says.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(Number),
    /// Any text.
    Text(String),
    /// `[…]`.
    List(Vec<Node>),
    /// `{…}`; the keys are distinct.
    Mapping(Vec<(String, Node)>),
}

/// A layer and, where it is a file, the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// A file's name as it was given, or "environment variable NAME".
    pub layer: Arc<str>,
    /// From 1.
    pub line: Option<u64>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.layer),
            None => f.write_str(&self.layer),
        }
    }
}

/// A text that is not what its file name promises.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ParseError {
    /// From 1.
    pub line: Option<u64>,
    /// Never quotes the text: it may hold a secret.
    pub message: String,
}

impl Node {
    /// Reads YAML 1.2, of which JSON is a part. An empty text is an empty mapping.
    pub(crate) fn parse(text: &str, layer: &Arc<str>) -> Result<Self, ParseError> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            merge_keys: serde_saphyr::options::MergeKeyPolicy::AsOrdinary,
            with_snippet: false,
        };
        let mut node: Self = serde_saphyr::from_str_with_options(text, options).map_err(|error| ParseError {
            line: error.location().map(|location| location.line()),
            message: without_position(&error.without_snippet().to_string()),
        })?;
        if matches!(node.data, Data::Null) {
            node.data = Data::Mapping(Vec::new());
        }
        node.name_layer(layer);
        Ok(node)
    }

    /// An empty mapping.
    #[must_use]
    pub(crate) fn empty(layer: &Arc<str>) -> Self {
        Self::of(Data::Mapping(Vec::new()), Origin { layer: layer.clone(), line: None })
    }

    /// A value from elsewhere than a file.
    #[must_use]
    pub(crate) fn of(data: Data, origin: Origin) -> Self {
        Self { data, origin, substituted: false }
    }

    /// A JSON value, all of it from one place.
    #[must_use]
    pub(crate) fn from_json(value: Value, origin: &Origin) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(value),
            Value::Number(value) => Data::Number(value),
            Value::String(value) => Data::Text(value),
            Value::Array(items) => Data::List(items.into_iter().map(|item| Self::from_json(item, origin)).collect()),
            Value::Object(entries) => {
                Data::Mapping(entries.into_iter().map(|(key, item)| (key, Self::from_json(item, origin))).collect())
            }
        };
        Self::of(data, origin.clone())
    }

    /// The value alone.
    #[must_use]
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(value) => Value::Number(value.clone()),
            Data::Text(value) => Value::String(value.clone()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Mapping(entries) => {
                Value::Object(entries.iter().map(|(key, item)| (key.clone(), item.to_json())).collect::<Map<_, _>>())
            }
        }
    }

    /// A mapping with these keys alone.
    pub(crate) fn only(mut self, keys: &[&str]) -> Self {
        if let Data::Mapping(entries) = &mut self.data {
            entries.retain(|(key, _)| keys.contains(&key.as_str()));
        }
        self
    }

    /// The entry of a mapping.
    #[must_use]
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The value at a dotted path.
    #[must_use]
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    /// The node that a path of keys and indices leads to, or the nearest one above it.
    #[must_use]
    pub(crate) fn nearest(&self, steps: &[Step]) -> &Self {
        let mut node = self;
        for step in steps {
            let next = match (step, &node.data) {
                (Step::Key(key), Data::Mapping(_)) => node.get(key),
                (Step::Index(index), Data::List(items)) => items.get(*index),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// The entries of a mapping; none of anything else.
    #[must_use]
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.data {
            Data::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub(crate) fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// Whether it is a mapping.
    #[must_use]
    pub(crate) fn is_mapping(&self) -> bool {
        matches!(self.data, Data::Mapping(_))
    }

    /// The text, where it is one.
    #[must_use]
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it or anything in it came out of the environment or a file.
    #[must_use]
    pub(crate) fn holds_substituted(&self) -> bool {
        self.substituted
            || self.items().iter().any(Self::holds_substituted)
            || self.entries().iter().any(|(_, node)| node.holds_substituted())
    }

    /// What it is, without saying what it says.
    #[must_use]
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::Text(text) if text.is_empty() => "an empty text",
            Data::Text(_) => "a text",
            Data::List(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }

    /// Lays a higher layer over this one: mappings merge, everything else is replaced.
    pub(crate) fn merge(&mut self, higher: Self) {
        match (&mut self.data, higher.data) {
            (Data::Mapping(lower), Data::Mapping(entries)) => {
                for (key, node) in entries {
                    match lower.iter_mut().find(|(name, _)| *name == key) {
                        Some((_, below)) => below.merge(node),
                        None => lower.push((key, node)),
                    }
                }
            }
            (data, higher_data) => {
                *data = higher_data;
                self.origin = higher.origin;
                self.substituted = higher.substituted;
            }
        }
    }

    /// Drops every entry that is null: a key without a value reads as absent.
    pub(crate) fn drop_nulls(&mut self) {
        match &mut self.data {
            Data::Mapping(entries) => {
                entries.retain(|(_, node)| !matches!(node.data, Data::Null));
                entries.iter_mut().for_each(|(_, node)| node.drop_nulls());
            }
            Data::List(items) => items.iter_mut().for_each(Self::drop_nulls),
            _ => {}
        }
    }

    fn name_layer(&mut self, layer: &Arc<str>) {
        self.origin.layer = layer.clone();
        match &mut self.data {
            Data::List(items) => items.iter_mut().for_each(|item| item.name_layer(layer)),
            Data::Mapping(entries) => entries.iter_mut().for_each(|(_, node)| node.name_layer(layer)),
            _ => {}
        }
    }
}

/// Only the shape: a value may be a secret.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind(), self.origin)
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// Whether a file's name says that it can be read as a mapping.
#[must_use]
pub(crate) fn is_data_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["json", "yaml", "yml"].iter().any(|known| extension == *known))
}

/// The parser repeats the position in its message; the caller prints it in its own form.
fn without_position(message: &str) -> String {
    let cut = [" at line ", ": line ", " (line "].iter().filter_map(|mark| message.find(mark)).min();
    cut.and_then(|end| message.get(..end)).unwrap_or(message).lines().next().unwrap_or_default().to_owned()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Data>::deserialize(deserializer)?;
        let line = spanned.referenced.line();
        let origin = Origin { layer: Arc::from(""), line: (line > 0).then_some(line) };
        Ok(Self::of(spanned.value, origin))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can express")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        Data::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Data, E> {
        Ok(Data::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Data, E> {
        Ok(Data::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Data, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Data::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Data, E> {
        Ok(Data::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Data, E> {
        Ok(Data::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Data, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Data::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Data, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let mut node: Node = access.next_value()?;
            // The line of the key is where a reader looks; a mapping's own begins on the next one.
            if key.referenced.line() > 0 {
                node.origin.line = Some(key.referenced.line());
            }
            entries.push((key.value, node));
        }
        Ok(Data::Mapping(entries))
    }
}
