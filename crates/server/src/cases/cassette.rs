//! What was sent and what came back, as a file that people review.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use callboard_egress::tape::{Answered, Sent};
use callboard_model::yaml::{self, WRITTEN};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CaseError;

/// A recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Cassette {
    /// The time of day in a case that does not say it.
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) exchanges: Vec<Exchange>,
}

/// A request and its answer. Of a redirect, each hop is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) request: Request,
    pub(super) answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    /// Where the credential is valid that was attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub(super) body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub(super) body: Body,
}

/// A text, or what is none: `{ base64: … }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Body {
    Text(String),
    Bytes { base64: String },
}

impl Cassette {
    /// None where there is no such file.
    pub(super) fn read(path: &Path) -> Result<Option<Cassette>, CaseError> {
        let fail = |message: String| CaseError::File { path: path.display().to_string(), message };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error.to_string())),
        };
        let cassette = parse(&text).map_err(fail)?;
        for exchange in &cassette.exchanges {
            exchange.answer.answered().map_err(|message| fail(format!("{}: {message}", exchange.request.line())))?;
        }
        Ok(Some(cassette))
    }

    /// A recording without requests is no file.
    pub(super) fn write(&self, path: &Path) -> Result<(), CaseError> {
        let fail = |message: String| CaseError::File { path: path.display().to_string(), message };
        let written = match self.exchanges.is_empty() {
            true => match std::fs::remove_file(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                other => other,
            },
            false => std::fs::write(path, self.text().map_err(fail)?),
        };
        written.map_err(|error| fail(error.to_string()))
    }

    /// As people write it where it is read as it was, or else as the catalog's own writer does it, which knows what to
    /// escape.
    fn text(&self) -> Result<String, String> {
        // Long texts stay on their line, and those of several lines on theirs.
        let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
        // The last lines of a text that ends the file are a part of it, so nothing is trimmed.
        let whole = |text: String| format!("{HEAD}{text}{}", if text.ends_with('\n') { "" } else { "\n" });
        let is_read = |text: &String| parse(text).is_ok_and(|read| read == *self);
        let plain = serde_saphyr::to_string_with_options(self, options).ok().map(whole).filter(is_read);
        let escaped = || match serde_json::to_value(self) {
            Ok(Value::Object(map)) => yaml::write(&[&map]).map(whole).filter(is_read),
            _ => None,
        };
        plain.or_else(escaped).ok_or_else(|| "it cannot be written as YAML".to_owned())
    }
}

const HEAD: &str = "# Written by `callboard plugin test --record`. The credentials of requests are never in it.\n";

fn parse(text: &str) -> Result<Cassette, String> {
    let mut documents = yaml::documents(text, &WRITTEN).map_err(|error| error.to_string())?;
    let first = documents.pop().filter(|_| documents.is_empty()).ok_or("a cassette is one document")?;
    let value = first.map_err(|error| error.to_string())?.value;
    serde_path_to_error::deserialize(value).map_err(|error| format!("{}: {}", error.path(), error.inner()))
}

impl Request {
    /// What is compared when it is replayed.
    pub(super) fn of(sent: &Sent) -> Request {
        Request {
            method: sent.method.to_string(),
            url: sent.url.clone(),
            credential: sent.credential.clone(),
            headers: texts(&sent.headers),
            body: Body::of(&sent.body),
        }
    }

    /// For a message.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

impl Answer {
    pub(super) fn of(answered: &Answered) -> Answer {
        Answer { status: answered.status.as_u16(), headers: texts(&answered.headers), body: Body::of(&answered.body) }
    }

    /// What the host takes for the network's answer.
    pub(super) fn answered(&self) -> Result<Answered, String> {
        let status = StatusCode::from_u16(self.status).map_err(|_| format!("{} is no status", self.status))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let wrong = || format!("the header {name} cannot be one");
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| wrong())?);
        }
        Ok(Answered { status, headers, body: self.body.bytes()? })
    }
}

impl Default for Body {
    fn default() -> Self {
        Body::Text(String::new())
    }
}

impl Body {
    fn of(bytes: &Bytes) -> Body {
        match std::str::from_utf8(bytes) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Bytes { base64: STANDARD.encode(bytes) },
        }
    }

    fn bytes(&self) -> Result<Bytes, String> {
        match self {
            Body::Text(text) => Ok(Bytes::from(text.clone())),
            Body::Bytes { base64 } => {
                STANDARD.decode(base64).map(Bytes::from).map_err(|error| format!("its body is not Base64: {error}"))
            }
        }
    }

    fn is_empty(&self) -> bool {
        *self == Body::default()
    }
}

/// One line for each name; several values of one are a list with commas, as HTTP has it.
fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        texts
            .entry(name.as_str().to_owned())
            .and_modify(|all| all.extend([", ", &*value]))
            .or_insert_with(|| value.into_owned());
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let bodies: [&[u8]; 9] = [
            b"",
            b"one line",
            b"{\n  \"a\": 1\n}\n",
            b"  leading\n\n\ntrailing  \n\n",
            b"---\n- a: 'b'\n...\n",
            b"tab\there\r\nand there\r\n",
            "\u{feff}\u{7f}\u{85}\u{2028}gr\u{fc}\u{df}e \u{1f600}".as_bytes(),
            b"\xff\x00\xfe",
            b"null",
        ];
        let exchanges = bodies.iter().map(|body| Exchange {
            request: Request {
                method: "POST".to_owned(),
                url: "https://example.com/?a=%20#".to_owned(),
                credential: Some("the bucket yes at AWS".to_owned()),
                headers: BTreeMap::from([("accept".to_owned(), "*/*".to_owned())]),
                body: Body::of(&Bytes::from_static(body)),
            },
            answer: Answer {
                status: 200,
                headers: BTreeMap::from([
                    ("etag".to_owned(), "\"1\"".to_owned()),
                    ("age".to_owned(), "010".to_owned()),
                ]),
                body: Body::of(&Bytes::from_static(body)),
            },
        });
        let all: Vec<Exchange> = exchanges.collect();
        for exchange in &all {
            let cassette = Cassette { recorded_at: super::super::ANY_DAY, exchanges: vec![exchange.clone()] };
            let text = cassette.text().unwrap();
            assert_eq!(parse(&text).unwrap(), cassette, "{text}");
        }
        let cassette = Cassette { recorded_at: super::super::ANY_DAY, exchanges: all.clone() };
        assert_eq!(parse(&cassette.text().unwrap()).unwrap(), cassette);
        for (exchange, body) in all.iter().zip(bodies) {
            assert_eq!(exchange.answer.answered().unwrap().body, body);
        }
    }
}
