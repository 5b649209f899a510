//! Changes one key of an app-config file as a person would: all other lines, comments among them, stay as they are.
//!
//! The lines that a key takes are found in the parser's own events, and the result is read again: where it does not say
//! exactly what was wished, nothing is written and the lines are shown to be put in by hand.

use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{Event, Parser, Span};

/// Why a file cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no YAML.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is written in a way that leaves no line to the key.
    #[error("{reason}. Change it by hand; this is what it is to say:\n\n{wanted}")]
    ByHand {
        /// What is in the way.
        reason: String,
        /// The lines.
        wanted: String,
    },
}

/// Gives the key at `path` this value, where it stands or at the end of what it belongs to.
///
/// # Errors
/// See [`EditError`]; the text is to be left alone then.
pub fn set(text: &str, path: &[&str], value: &Value) -> Result<String, EditError> {
    edit(text, path, Some(value))
}

/// Removes the key at `path`. A text without it stays as it is.
///
/// # Errors
/// See [`EditError`]; the text is to be left alone then.
pub fn remove(text: &str, path: &[&str]) -> Result<String, EditError> {
    edit(text, path, None)
}

fn edit(text: &str, path: &[&str], value: Option<&Value>) -> Result<String, EditError> {
    let before = read(text).map_err(EditError::Unreadable)?;
    let mut expected = before.clone();
    put(&mut expected, path, value);
    if expected == before {
        return Ok(text.to_owned());
    }
    let by_hand =
        |reason: &str| EditError::ByHand { reason: reason.to_owned(), wanted: lines(path, 0, value).join("\n") };
    let places = places(text, path).map_err(EditError::Unreadable)?;
    let edited = rewrite(text, path, value, &places).ok_or_else(|| by_hand("its braces leave no line to the key"))?;
    // Aliases, anchors and whatever else may be written make a difference here and nowhere else.
    match read(&edited) {
        Ok(found) if found == expected => Ok(edited),
        _ => Err(by_hand("it is written in a way that is not understood well enough to change it")),
    }
}

/// Where the keys of a path stand, as far as there are any.
struct Place {
    /// Of the key, from 0.
    first: usize,
    /// The last line of its value, from 0.
    last: usize,
    /// Of the key.
    column: usize,
    /// Whether its value is a mapping with a line for each key, and then where those begin.
    block: Option<usize>,
    /// Whether its value is nothing, or `{}`.
    is_empty: bool,
}

fn rewrite(text: &str, path: &[&str], value: Option<&Value>, places: &[Place]) -> Option<String> {
    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
    match places.last() {
        // There is such a key.
        Some(place) if places.len() == path.len() => {
            if !starts_line(all.get(place.first)?, place.column) {
                return None;
            }
            let key = path.last().map(std::slice::from_ref).unwrap_or_default();
            all.splice(place.first..=place.last, lines(key, place.column, value));
        }
        Some(parent) => {
            let rest = path.get(places.len()..)?;
            match parent.block {
                Some(column) => {
                    all.splice(parent.last + 1..parent.last + 1, lines(rest, column, value));
                }
                // What belongs to it gets lines of its own.
                None if parent.is_empty && starts_line(all.get(parent.first)?, parent.column) => {
                    let head = all.get_mut(parent.first)?;
                    let bare = head.replacen("{}", "", 1);
                    *head = bare.trim_end().to_owned();
                    all.splice(parent.last + 1..parent.last + 1, lines(rest, parent.column + 2, value));
                }
                None => return None,
            }
        }
        None => {
            while all.last().is_some_and(|line| line.trim().is_empty()) {
                all.pop();
            }
            if !all.is_empty() {
                all.push(String::new());
            }
            all.extend(lines(path, 0, value));
        }
    }
    let mut edited = all.join("\n");
    edited.push('\n');
    Some(edited)
}

/// Whether nothing but spaces stands before a column.
fn starts_line(line: &str, column: usize) -> bool {
    line.chars().take(column).all(|c| c == ' ')
}

/// The lines of a key in a mapping that begins at a column.
fn lines(path: &[&str], column: usize, value: Option<&Value>) -> Vec<String> {
    let Some((last, above)) = path.split_last() else { return Vec::new() };
    let Some(value) = value else { return Vec::new() };
    let mut written = Map::from_iter([((*last).to_owned(), value.clone())]);
    for key in above.iter().rev() {
        written = Map::from_iter([((*key).to_owned(), Value::Object(written))]);
    }
    let text = callboard_model::yaml::write(&[&written]).unwrap_or_default();
    text.lines().map(|line| format!("{:column$}{line}", "")).collect()
}

fn put(root: &mut Value, path: &[&str], value: Option<&Value>) {
    let Some((last, above)) = path.split_last() else { return };
    let mut at = root;
    for key in above {
        if !at.is_object() {
            if value.is_none() {
                return;
            }
            *at = Value::Object(Map::new());
        }
        let Value::Object(entries) = at else { return };
        if value.is_none() && !entries.contains_key(*key) {
            return;
        }
        at = entries.entry((*key).to_owned()).or_insert(Value::Null);
    }
    if at.is_null() && value.is_some() {
        *at = Value::Object(Map::new());
    }
    let Value::Object(entries) = at else { return };
    match value {
        Some(value) => _ = entries.insert((*last).to_owned(), value.clone()),
        // A mapping without keys is nothing, when each key has a line.
        None => {
            entries.remove(*last);
            if entries.is_empty() {
                *at = Value::Null;
            }
        }
    }
}

fn read(text: &str) -> Result<Value, String> {
    callboard_model::yaml::value(text).map_err(|error| error.to_string())
}

/// Follows a path into the first document.
fn places(text: &str, path: &[&str]) -> Result<Vec<Place>, String> {
    let mut events = Parser::new_from_str(text).filter_map(|event| match event {
        Ok((Event::Comment(..), _)) => None,
        other => Some(other.map_err(|error| error.to_string())),
    });
    let mut next = || events.next().unwrap_or_else(|| Err("it ends too early".to_owned()));
    let mut found = Vec::new();
    loop {
        match next()? {
            (Event::MappingStart(..), span) if !is_flow(text, &span) => break,
            (Event::StreamStart | Event::DocumentStart(..), _) => {}
            _ => return Ok(found),
        }
    }
    'keys: for key in path {
        loop {
            let (event, key_span) = next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(found);
            }
            let is_it = matches!(&event, Event::Scalar(text, ..) if text == key);
            skip(&event, &mut next)?;
            let (value, span) = next()?;
            if !is_it {
                skip(&value, &mut next)?;
                continue;
            }
            let column = key_span.start.col();
            let first = key_span.start.line().saturating_sub(1);
            let is_block = matches!(value, Event::MappingStart(..)) && !is_flow(text, &span);
            let last = first.max(last_line(text, &key_span, &span, &value)?);
            let is_empty = match &value {
                Event::Scalar(text, ..) => matches!(text.as_ref(), "" | "~" | "null"),
                Event::MappingStart(..) => text.lines().nth(first).is_some_and(|line| line.contains("{}")),
                _ => false,
            };
            let block = is_block.then(|| span.start.col());
            found.push(Place { first, last, column, block, is_empty });
            if !is_block {
                return Ok(found);
            }
            continue 'keys;
        }
    }
    Ok(found)
}

/// The last line, from 0, that a value takes: that of the last thing in it that is written.
fn last_line(text: &str, key: &Span, start: &Span, value: &Event<'_>) -> Result<usize, String> {
    let mut last = end_line(text, key).max(if is_collection(value) { 0 } else { end_line(text, start) });
    if !is_collection(value) {
        return Ok(last);
    }
    let mut depth = 0_usize;
    let mut is_inside = false;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        if !is_inside {
            is_inside = is_collection(&event) && span.start == start.start;
            if !is_inside {
                continue;
            }
        }
        match &event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                depth += 1;
                if is_flow(text, &span) {
                    last = last.max(end_line(text, &span));
                }
            }
            Event::MappingEnd | Event::SequenceEnd => {
                depth = depth.saturating_sub(1);
                // The end of a flow collection is written, that of a block is not.
                if !span.is_empty() {
                    last = last.max(end_line(text, &span));
                }
                if depth == 0 {
                    break;
                }
            }
            Event::Scalar(..) | Event::Alias(..) => last = last.max(end_line(text, &span)),
            _ => {}
        }
    }
    Ok(last)
}

/// The line, from 0, on which a span ends. What ends before the first character of a line ends on the one before: text
/// in lines of its own is over only where the next key begins.
fn end_line(text: &str, span: &Span) -> usize {
    let line = span.end.line().saturating_sub(1);
    let begins = text.lines().nth(line).is_none_or(|line| starts_line(line, span.end.col()));
    if begins && span.end.line() > span.start.line() { line.saturating_sub(1) } else { line }
}

fn is_collection(event: &Event<'_>) -> bool {
    matches!(event, Event::MappingStart(..) | Event::SequenceStart(..))
}

fn is_flow(text: &str, span: &Span) -> bool {
    let line = text.lines().nth(span.start.line().saturating_sub(1)).unwrap_or_default();
    matches!(line.chars().nth(span.start.col()), Some('{' | '['))
}

/// Passes over the rest of a value.
fn skip<'a>(event: &Event<'a>, next: &mut impl FnMut() -> Result<(Event<'a>, Span), String>) -> Result<(), String> {
    let mut depth = usize::from(is_collection(event));
    while depth > 0 {
        match next()?.0 {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What becomes of a text, in which `|` begins each line.
    #[track_caller]
    fn check(text: &str, path: &str, value: Option<Value>, expected: &str) {
        let plain = |text: &str| {
            text.lines().filter_map(|line| Some(line.split_once('|')?.1.to_owned() + "\n")).collect::<String>()
        };
        let path: Vec<&str> = path.split('/').collect();
        let edited = edit(&plain(text), &path, value.as_ref()).unwrap();
        assert_eq!(edited, plain(expected));
    }

    #[test]
    fn keys_are_added() {
        check(
            "|# ours
             |app: { title: x }
             |plugins: # what we use
             |  s3:
             |    source: a.wasm   # built
             |    grant:
             |      log: true
             |
             |  # next
             |catalog: {}",
            "plugins/github",
            Some(
                json!({ "source": "oci://r/github", "grant": { "log": true, "http": ["GET https://api.github.com"] } }),
            ),
            "|# ours
             |app: { title: x }
             |plugins: # what we use
             |  s3:
             |    source: a.wasm   # built
             |    grant:
             |      log: true
             |  github:
             |    grant:
             |      http:
             |      - GET https://api.github.com
             |      log: true
             |    source: oci://r/github
             |
             |  # next
             |catalog: {}",
        );
        check(
            "|app: {}\n",
            "plugins/a",
            Some(json!({ "source": "b" })),
            "|app: {}\n|\n|plugins:\n|  a:\n|    source: b",
        );
        check(
            "|plugins: {}\n|app: 1",
            "plugins/a",
            Some(json!({ "source": "b" })),
            "|plugins:\n|  a:\n|    source: b\n|app: 1",
        );
        check(
            "|plugins:\n|app: 1",
            "plugins/a",
            Some(json!({ "source": "b" })),
            "|plugins:\n|  a:\n|    source: b\n|app: 1",
        );
    }

    #[test]
    fn keys_are_changed() {
        check(
            "|plugins:
             |    s3:
             |        version: ^1 # of ours
             |        # what it may
             |        grant: { log: true }
             |        source: b",
            "plugins/s3/grant",
            Some(json!({ "log": true, "kv": true })),
            "|plugins:
             |    s3:
             |        version: ^1 # of ours
             |        # what it may
             |        grant:
             |          kv: true
             |          log: true
             |        source: b",
        );
        check(
            "|plugins:\n|  s3:\n|    text: |\n|      one\n|      two\n|    b: 1",
            "plugins/s3/text",
            Some(json!("x")),
            "|plugins:\n|  s3:\n|    text: x\n|    b: 1",
        );
    }

    #[test]
    fn keys_are_removed() {
        check(
            "|plugins:\n|  # the bucket\n|  s3:\n|    source: a\n|    grant: {\n|      log: true }\n|  # more\n|  b:\n|    source: b",
            "plugins/s3",
            None,
            "|plugins:\n|  # the bucket\n|  # more\n|  b:\n|    source: b",
        );
        check("|plugins:\n|  s3:\n|    source: a\n|app: 1", "plugins/s3", None, "|plugins:\n|app: 1");
        check("|app: 1", "plugins/s3", None, "|app: 1");
    }

    #[test]
    fn what_leaves_no_line_is_left_alone() {
        for text in ["plugins: { s3: { source: a } }\n", "{ app: 1 }\n", "a: &x {b: 1}\nplugins: *x\n"] {
            let error = set(text, &["plugins", "s3", "version"], &json!("^2")).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("by hand") && text.contains("version: ^2"), "{text}");
        }
        assert!(matches!(set("a: [", &["b"], &json!(1)), Err(EditError::Unreadable(_))));
    }
}
