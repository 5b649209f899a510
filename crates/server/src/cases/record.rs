//! Writes a cassette.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use callboard_egress::tape::{Answered, Record, Sent};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::cassette::{Answer, Cassette, Exchange, Request};

/// Keeps what is sent and answered, with stand-ins for what the environment said.
pub(super) struct Recorder {
    stand_ins: Vec<(String, String)>,
    exchanges: Mutex<Vec<(Request, Option<Answer>)>>,
}

impl Recorder {
    /// Secrets are gone from all that comes here; the stand-ins are for addresses and names.
    pub(super) fn new(pairs: Vec<(String, String)>) -> Recorder {
        let mut stand_ins = Vec::new();
        for (real, stand_in) in pairs {
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let form = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            stand_ins.push((encoded(&real), encoded(&stand_in)));
            stand_ins.push((form(&real), form(&stand_in)));
            stand_ins.push((real, stand_in));
        }
        Recorder { stand_ins, exchanges: Mutex::default() }
    }

    /// Everything so far.
    ///
    /// # Errors
    /// A request was not answered.
    pub(super) fn cassette(&self, recorded_at: DateTime<Utc>) -> Result<Cassette, String> {
        let exchanges = self.exchanges().clone().into_iter().map(|(request, answer)| {
            let answer = answer.ok_or_else(|| format!("{} was not answered", request.line()))?;
            Ok(Exchange { request, answer })
        });
        Ok(Cassette { recorded_at, exchanges: exchanges.collect::<Result<_, String>>()? })
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<(Request, Option<Answer>)>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, text: &str) -> String {
        self.stand_ins.iter().fold(text.to_owned(), |text, (real, stand_in)| text.replace(real, stand_in))
    }

    fn headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Some(replaced) = value.to_str().ok().and_then(|text| HeaderValue::from_str(&self.text(text)).ok()) {
                *value = replaced;
            }
        }
    }

    /// Of what is no text nothing is replaced: nobody could tell where.
    fn body(&self, body: &Bytes) -> Bytes {
        match std::str::from_utf8(body) {
            Ok(text) => Bytes::from(self.text(text)),
            Err(_) => body.clone(),
        }
    }
}

impl Record for Recorder {
    fn sent(&self, mut sent: Sent) -> usize {
        sent.url = self.text(&sent.url);
        sent.credential = sent.credential.map(|scope| self.text(&scope));
        sent.body = self.body(&sent.body);
        self.headers(&mut sent.headers);
        let mut exchanges = self.exchanges();
        exchanges.push((Request::of(&sent), None));
        exchanges.len() - 1
    }

    fn answered(&self, number: usize, mut answered: Answered) {
        answered.body = self.body(&answered.body);
        self.headers(&mut answered.headers);
        if let Some((_, answer)) = self.exchanges().get_mut(number) {
            *answer = Some(Answer::of(&answered));
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::*;
    use crate::cases::ANY_DAY;

    #[test]
    fn addresses_have_stand_ins() {
        let recorder = Recorder::new(vec![("http://127.0.0.1:4000".to_owned(), "https://a.example".to_owned())]);
        let sent = Sent {
            method: Method::GET,
            url: "http://127.0.0.1:4000/x?back=http%3A%2F%2F127%2E0%2E0%2E1%3A4000".to_owned(),
            headers: HeaderMap::new(),
            credential: Some("http://127.0.0.1:4000".to_owned()),
            body: Bytes::new(),
        };
        let number = recorder.sent(sent);
        assert!(recorder.cassette(ANY_DAY).unwrap_err().contains("GET https://a.example/x"), "it was not answered");
        let body = Bytes::from_static(b"{\"next\": \"http://127.0.0.1:4000/y\"}");
        let headers =
            HeaderMap::from_iter([(http::header::LOCATION, HeaderValue::from_static("http://127.0.0.1:4000/z"))]);
        recorder.answered(number, Answered { status: StatusCode::OK, headers, body });
        let written = serde_json::to_string(&recorder.cassette(ANY_DAY).unwrap()).unwrap();
        assert!(!written.contains("127") && written.matches("a.example").count() == 4, "{written}");
        assert!(written.contains("back=https%3A%2F%2Fa%2Eexample"), "{written}");
    }
}
