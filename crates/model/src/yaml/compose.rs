//! Puts a document together from events, without recursion and within the limits.

use std::collections::HashMap;

use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{Event, Marker, Span};

use super::scalar::resolve;
use super::{Events, Limits, YamlError};
use crate::stable_json;

/// The content of the document that `events` stand in, with the line on which it begins; none where it is empty.
pub(super) fn document(events: &mut Events<'_>, limits: &Limits) -> Result<Option<(usize, Value)>, YamlError> {
    let mut composer = Composer {
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        size: Size::default(),
        kept: Size::default(),
        limits,
    };
    loop {
        let (event, span) = events.next()?;
        if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
            return Ok(composer.root.filter(|(_, value)| !value.is_null()));
        }
        composer.take(event, &span)?;
    }
}

struct Composer<'l> {
    /// The collections that are not closed yet, outermost first.
    open: Vec<Collection>,
    /// What aliases stand for. A collection is there only once it is closed, so that none can hold itself.
    anchors: HashMap<usize, (Value, Size)>,
    root: Option<(usize, Value)>,
    /// What the document holds.
    size: Size,
    /// What is kept for aliases beside that.
    kept: Size,
    limits: &'l Limits,
}

#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, other: Size) {
        self.values = self.values.saturating_add(other.values);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

struct Collection {
    items: Items,
    anchor: usize,
    /// The document's size when the collection began.
    before: Size,
    start: Marker,
}

enum Items {
    Sequence(Vec<Value>),
    Mapping(Map<String, Value>, Option<String>),
}

impl Composer<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let size = Size { values: 1, bytes: text.len() };
                self.grow(size, span)?;
                let value = resolve(&text, style, tag.as_deref()).ok_or_else(|| {
                    YamlError::at(&span.start, format!("{text} has no counterpart in JSON; write it in quotes"))
                })?;
                self.keep(anchor, &value, size, span)?;
                self.put(value, &span.start)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Items::Sequence(Vec::new()), anchor, span),
            Event::MappingStart(_, anchor, _) => self.begin(Items::Mapping(Map::new(), None), anchor, span),
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => {
                let (value, size) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| YamlError::at(&span.start, "the alias stands within what it stands for"))?;
                self.grow(size, span)?;
                self.put(value, &span.start)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, items: Items, anchor: usize, span: &Span) -> Result<(), YamlError> {
        if self.open.len() >= self.limits.depth {
            let message = format!("the document is nested more than {} deep", self.limits.depth);
            return Err(YamlError::at(&span.start, message));
        }
        if matches!(self.open.last(), Some(Collection { items: Items::Mapping(_, None), .. })) {
            return Err(YamlError::at(&span.start, "a key must be a scalar, not a sequence or a mapping"));
        }
        let before = self.size;
        self.grow(Size { values: 1, bytes: 0 }, span)?;
        self.open.push(Collection { items, anchor, before, start: span.start });
        Ok(())
    }

    fn end(&mut self, span: &Span) -> Result<(), YamlError> {
        let Some(collection) = self.open.pop() else { return Ok(()) };
        let value = match collection.items {
            Items::Sequence(items) => Value::Array(items),
            Items::Mapping(map, _) => Value::Object(map),
        };
        let size = Size {
            values: self.size.values.saturating_sub(collection.before.values),
            bytes: self.size.bytes.saturating_sub(collection.before.bytes),
        };
        self.keep(collection.anchor, &value, size, span)?;
        self.put(value, &collection.start)
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, value: Value, start: &Marker) -> Result<(), YamlError> {
        match self.open.last_mut().map(|collection| &mut collection.items) {
            None => self.root = Some((start.line(), value)),
            Some(Items::Sequence(items)) => items.push(value),
            Some(Items::Mapping(map, key @ None)) => {
                let text = key_text(value)
                    .ok_or_else(|| YamlError::at(start, "a key must be a scalar, not a sequence or a mapping"))?;
                if map.contains_key(&text) {
                    let message = format!("the key \"{}\" stands twice in the mapping", shown(&text));
                    return Err(YamlError::at(start, message));
                }
                *key = Some(text);
            }
            Some(Items::Mapping(map, key)) => {
                map.insert(key.take().unwrap_or_default(), value);
            }
        }
        Ok(())
    }

    fn keep(&mut self, anchor: usize, value: &Value, size: Size, span: &Span) -> Result<(), YamlError> {
        if anchor == 0 {
            return Ok(());
        }
        self.kept.add(size);
        self.within(self.kept, span)?;
        self.anchors.insert(anchor, (value.clone(), size));
        Ok(())
    }

    fn grow(&mut self, size: Size, span: &Span) -> Result<(), YamlError> {
        self.size.add(size);
        self.within(self.size, span)
    }

    fn within(&self, size: Size, span: &Span) -> Result<(), YamlError> {
        let (name, limit) = if size.values > self.limits.values {
            ("values", self.limits.values)
        } else if size.bytes > self.limits.document_bytes {
            ("bytes of text", self.limits.document_bytes)
        } else {
            return Ok(());
        };
        let message = format!("the document has more than {limit} {name} once its aliases are replaced");
        Err(YamlError::at(&span.start, message))
    }
}

/// A key as a JSON object has it.
fn key_text(key: Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text),
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(stable_json::number(&number)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_debug).collect()
}
