//! Answers requests from a cassette.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use callboard_egress::tape::{Answered, Replay, Sent};

use super::cassette::{Cassette, Exchange, Request};

/// Answers each request with what was recorded for the same one: method, URL, credential, headers and body. The same
/// request gets the answers that were recorded for it one after the other.
pub(crate) struct Player {
    cassette: String,
    exchanges: Vec<Exchange>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// One for each exchange.
    used: Vec<bool>,
    missed: Vec<String>,
}

impl Player {
    pub(super) fn new(path: &Path, cassette: Cassette) -> Player {
        let player =
            Player { cassette: path.display().to_string(), exchanges: cassette.exchanges, state: Mutex::default() };
        player.rewind();
        player
    }

    /// As if nothing had been sent.
    pub(crate) fn rewind(&self) {
        *self.state() = State { used: vec![false; self.exchanges.len()], missed: Vec::new() };
    }

    /// How many requests were answered.
    pub(crate) fn answered(&self) -> usize {
        self.state().used.iter().filter(|used| **used).count()
    }

    /// What was sent and is not on the cassette, and what is on it and was not sent.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let state = self.state();
        let unused = self.exchanges.iter().zip(&state.used).filter(|(_, used)| !**used);
        let unused: Vec<String> = unused.map(|(exchange, _)| format!("\n    {}", exchange.request.line())).collect();
        let mut complaints = state.missed.clone();
        if !unused.is_empty() {
            complaints.push(format!(
                "{} has requests that were not sent; record it again with `callboard plugin test --record`:{}",
                self.cassette,
                unused.concat()
            ));
        }
        complaints
    }

    /// A panic while the lock is held leaves what was counted so far.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why there is no answer, and what comes nearest.
    fn missing(&self, request: &Request) -> String {
        let same = self.exchanges.iter().map(|exchange| &exchange.request);
        let same: Vec<&Request> =
            same.filter(|other| other.method == request.method && other.url == request.url).collect();
        let hint = match same.as_slice() {
            [] => String::new(),
            all if all.contains(&request) => format!("; it is there {} times, and was sent once more", all.len()),
            [other, ..] => format!("; one to the same URL has {}", difference(other, request)),
        };
        format!(
            "{} is not in {}{hint}. `callboard plugin test --record` sends it and writes it down",
            request.line(),
            self.cassette
        )
    }
}

/// What differs, for a hint.
fn difference(recorded: &Request, request: &Request) -> String {
    let shown = |credential: &Option<String>| match credential {
        Some(scope) => format!("the credential for {scope}"),
        None => "no credential".to_owned(),
    };
    if recorded.credential != request.credential {
        return format!("{}, and this one {}", shown(&recorded.credential), shown(&request.credential));
    }
    let names = recorded.headers.keys().chain(request.headers.keys());
    let differs = |name: &&String| recorded.headers.get(*name) != request.headers.get(*name);
    match names.clone().find(differs) {
        Some(name) => format!("another header {name}"),
        None => "another body".to_owned(),
    }
}

impl Replay for Player {
    fn answer(&self, sent: &Sent) -> Result<Answered, String> {
        let request = Request::of(sent);
        let mut state = self.state();
        let found =
            self.exchanges.iter().zip(&mut state.used).find(|(exchange, used)| !**used && exchange.request == request);
        if let Some((exchange, used)) = found {
            *used = true;
            return exchange.answer.answered();
        }
        let message = self.missing(&request);
        state.missed.push(message.clone());
        Err(message)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method, StatusCode};

    use super::*;
    use crate::cases::cassette::Answer;

    fn sent(url: &str, accept: &'static str, credential: Option<&str>) -> Sent {
        let headers = HeaderMap::from_iter([(http::header::ACCEPT, HeaderValue::from_static(accept))]);
        let credential = credential.map(str::to_owned);
        Sent { method: Method::GET, url: url.to_owned(), headers, credential, body: Bytes::new() }
    }

    fn exchange(sent: &Sent, body: &'static str) -> Exchange {
        let body = Bytes::from_static(body.as_bytes());
        let answered = Answered { status: StatusCode::OK, headers: HeaderMap::new(), body };
        Exchange { request: Request::of(sent), answer: Answer::of(&answered) }
    }

    #[test]
    fn requests_are_matched() {
        let (a, b) = (sent("https://a.example/", "x/y", None), sent("https://b.example/", "x/y", Some("b")));
        let exchanges = vec![exchange(&a, "first"), exchange(&b, "b"), exchange(&a, "second")];
        let player = Player::new(Path::new("t.yaml"), Cassette { exchanges, ..Cassette::default() });
        let check = |sent: &Sent, expected: Result<&str, &str>| match (player.answer(sent), expected) {
            (Ok(answered), Ok(body)) => assert_eq!(answered.body, body),
            (Err(message), Err(part)) => assert!(message.contains(part) && message.contains("--record"), "{message}"),
            (result, _) => panic!("{sent:?}: {result:?}"),
        };
        check(&a, Ok("first"));
        check(&a, Ok("second"));
        assert!(
            player.complaints()[0].contains("were not sent") && player.complaints()[0].contains("https://b.example/")
        );
        check(&a, Err("GET https://a.example/ is not in t.yaml; it is there 2 times, and was sent once more."));
        check(&sent("https://c.example/", "x/y", None), Err("GET https://c.example/ is not in t.yaml. "));
        check(&sent("https://b.example/", "x/y", None), Err("has the credential for b, and this one no credential"));
        check(&sent("https://b.example/", "x/z", Some("b")), Err("another header accept"));
        check(&Sent { body: Bytes::from_static(b"x"), ..b.clone() }, Err("another body"));
        check(&b, Ok("b"));
        assert_eq!((player.answered(), player.complaints().len()), (3, 5));
        player.rewind();
        assert_eq!(player.complaints().len(), 1, "none of the three was sent");
        check(&a, Ok("first"));
    }
}
