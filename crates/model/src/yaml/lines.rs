//! Where in a file something stands.

use serde_saphyr::granit_parser::{Event, Span};

use super::scalar::resolve;
use super::{Events, Limits, YamlError, compose};
use crate::stable_json;

/// The line, from 1, of what a JSON pointer names within a document of a file: of the key in a mapping, of the item
/// in a sequence. Where it is not there (a required key that is missing, say) it is the line of what it would be in.
/// The limits are those that the file was read with: which document is which depends on how those before it ended.
pub fn line_of(text: &str, limits: &Limits, document: usize, pointer: &str) -> Option<usize> {
    let mut events = Events::of(text, limits).ok()?;
    for _ in 0..document {
        if !events.next_document() {
            return None;
        }
        if compose::document(&mut events, limits).is_err() {
            events.abandon_document();
        }
    }
    if !events.next_document() {
        return None;
    }
    let mut line = None;
    // What was found before a syntax error further down still holds.
    let _found = find(&mut events, pointer, &mut line);
    line
}

fn find(events: &mut Events<'_>, pointer: &str, line: &mut Option<usize>) -> Result<(), YamlError> {
    let (mut event, span) = events.next()?;
    line.get_or_insert(span.start.line());
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let found = match event {
            Event::MappingStart(..) => in_mapping(events, &step)?,
            Event::SequenceStart(..) => in_sequence(events, &step)?,
            _ => None,
        };
        let Some((at, value)) = found else { break };
        *line = Some(at);
        event = value;
    }
    Ok(())
}

/// The line of a key and the first event of its value.
fn in_mapping<'a>(events: &mut Events<'a>, key: &str) -> Result<Option<(usize, Event<'a>)>, YamlError> {
    loop {
        let (event, span) = events.next()?;
        if matches!(event, Event::MappingEnd) {
            return Ok(None);
        }
        let is_it = is_key(&event, key);
        skip(events, &event)?;
        let (value, _) = events.next()?;
        if is_it {
            return Ok(Some((span.start.line(), value)));
        }
        skip(events, &value)?;
    }
}

/// The line of an item and its first event.
fn in_sequence<'a>(events: &mut Events<'a>, index: &str) -> Result<Option<(usize, Event<'a>)>, YamlError> {
    let Ok(index) = index.parse::<usize>() else { return Ok(None) };
    for _ in 0..index {
        let (event, _) = events.next()?;
        if matches!(event, Event::SequenceEnd) {
            return Ok(None);
        }
        skip(events, &event)?;
    }
    let (event, span): (_, Span) = events.next()?;
    Ok(if matches!(event, Event::SequenceEnd) { None } else { Some((span.start.line(), event)) })
}

fn is_key(event: &Event<'_>, key: &str) -> bool {
    let Event::Scalar(text, style, _, tag) = event else { return false };
    text == key
        || match resolve(text, *style, tag.as_deref()) {
            Some(serde_json::Value::Number(number)) => stable_json::number(&number) == key,
            _ => false,
        }
}

/// Leaves the node that `first` began.
fn skip(events: &mut Events<'_>, first: &Event<'_>) -> Result<(), YamlError> {
    let mut depth = depth_change(first);
    while depth > 0 {
        depth += depth_change(&events.next()?.0);
    }
    Ok(())
}

fn depth_change(event: &Event<'_>) -> i32 {
    match event {
        Event::MappingStart(..) | Event::SequenceStart(..) => 1,
        Event::MappingEnd | Event::SequenceEnd => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        const TEXT: &str = "\
# A comment.
kind: One
---
kind: Two
metadata:
  name: x
  tags:
    - a
    - b
  labels: { 'a/b': c,
    d~e: f }
  1: numbered
  text: |
    name: y
spec: &s
  - deep:
      - [1,
         2]
  - *s
---
kind: [
";
        let check = |document, pointer: &str, expected| {
            assert_eq!(line_of(TEXT, &Limits::default(), document, pointer), expected, "{document} {pointer}");
        };
        check(0, "", Some(2));
        check(0, "/kind", Some(2));
        check(1, "", Some(4));
        check(1, "/kind", Some(4));
        check(1, "/metadata", Some(5));
        check(1, "/metadata/name", Some(6));
        check(1, "/metadata/tags/1", Some(9));
        check(1, "/metadata/labels/a~1b", Some(10));
        check(1, "/metadata/labels/d~0e", Some(11));
        check(1, "/metadata/1", Some(12));
        check(1, "/metadata/text", Some(13));
        check(1, "/spec/0/deep/0/1", Some(18));
        // What is not there is missing in something.
        check(1, "/metadata/title", Some(5));
        check(1, "/metadata/tags/2", Some(7));
        check(1, "/metadata/tags/x", Some(7));
        check(1, "/metadata/name/x", Some(6));
        check(1, "/nowhere/at/all", Some(4));
        // An alias is where it stands.
        check(1, "/spec/1/0", Some(19));
        check(2, "/kind", Some(21));
        check(3, "", None);
    }
}
