//! Recordings: what is on them, what is not, and that everything before the network holds when they are replayed.

use std::sync::{Arc, Mutex};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use callboard_egress::{
    Credential, Egress, Error, Secret, Settings,
    tape::{Answered, Record, Replay, Sent},
};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::Rng as _;

use crate::support::{NAMED, Origins, Reply, Server, get, text};

/// Keeps everything, and plays it back in its order.
#[derive(Default)]
struct Tape(Mutex<Vec<(Sent, Option<Answered>)>>);

impl Record for Tape {
    fn sent(&self, sent: Sent) -> usize {
        let mut all = self.0.lock().unwrap();
        all.push((sent, None));
        all.len() - 1
    }

    fn answered(&self, number: usize, answered: Answered) {
        self.0.lock().unwrap()[number].1 = Some(answered);
    }
}

impl Replay for Tape {
    fn answer(&self, sent: &Sent) -> Result<Answered, String> {
        let all = self.0.lock().unwrap();
        let found = all.iter().find(|(recorded, _)| recorded.url == sent.url && recorded.headers == sent.headers);
        found.and_then(|(_, answered)| answered.clone()).ok_or_else(|| format!("nobody recorded {}", sent.url))
    }
}

fn recording(secrets: &[&str]) -> (Arc<Tape>, Egress) {
    let tape = Arc::new(Tape::default());
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    let egress = Egress::recording(Settings::default(), tape.clone(), &secrets).unwrap();
    (tape, egress)
}

fn replaying(tape: &Arc<Tape>) -> Egress {
    Egress::replaying(Settings::default(), tape.clone()).unwrap()
}

/// As others spell a secret, with text around it that moves it within Base64.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = vec![
        secret.to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
    ];
    for before in ["", "u", "u:", "user:"] {
        all.push(STANDARD.encode(format!("{before}{secret}")));
        all.push(URL_SAFE_NO_PAD.encode(format!("{before}{secret}:after")));
    }
    all
}

/// What is left of a secret that somebody decodes from a text.
fn decodes_to(text: &str, secret: &str) -> bool {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && !"+/-_=".contains(char));
    let decoded = words.flat_map(|word| {
        let plain = word.trim_end_matches('=').replace('-', "+").replace('_', "/");
        let bits: Vec<u8> = (0..4)
            .flat_map(|skip| {
                let part = plain.get(skip..).unwrap_or_default();
                let whole = part.len() - part.len() % 4;
                STANDARD.decode(part.get(..whole).unwrap_or_default()).unwrap_or_default()
            })
            .collect();
        bits
    });
    let decoded: Vec<u8> = decoded.collect();
    decoded.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[tokio::test]
async fn no_secret_is_on_a_recording() {
    const LETTERS: &[u8] = b"abcdefXYZ0123456789-_./+~";
    for round in 0..24 {
        let random = |length: usize| -> String {
            (0..length).map(|_| char::from(LETTERS[rand::rng().random_range(0..LETTERS.len())])).collect()
        };
        let (token, other) = (random(8 + round), random(12));
        let echoed = [spellings(&token), spellings(&other)].concat();
        let body = echoed.clone();
        let server = Server::start(move |_| {
            let chunks = body.join(" | ").as_bytes().chunks(5).map(Bytes::copy_from_slice).collect();
            let reply = Reply { status: 200, chunks, ..Reply::default() };
            let reply = reply.with("set-cookie", "session=as-good-as-the-token").with("x-plain", "plain");
            body.iter().fold(reply.with("authorization", "x"), |reply, one| reply.with("x-echo", one.clone()))
        })
        .await;
        let (tape, egress) = recording(&[&other]);
        // A sender that knows a secret all the same.
        let mut request = get(server.at(&format!("/?q={}", utf8_percent_encode(&other, NON_ALPHANUMERIC))));
        request.method = Method::POST;
        request.header("x-sent", &other).unwrap();
        request.body = Bytes::from(format!("{{\"sent\": \"{}\"}}", STANDARD.encode(&other)));
        request.credential = Some(Credential::bearer(&server.url, &Secret::new(token.as_str())).unwrap());
        let response = egress.send(request, &NAMED).await.unwrap();
        response.body.collect(1 << 20).await.unwrap();
        assert_eq!(server.seen()[0].header("authorization"), format!("Bearer {token}"), "it was sent");

        let recorded = tape.0.lock().unwrap();
        let (sent, answered) = &recorded[0];
        let answered = answered.as_ref().unwrap();
        let bodies = [&sent.body, &answered.body].map(|body| String::from_utf8(body.to_vec()).unwrap());
        let written = format!(
            "{} {:?} {:?} {:?} {}",
            sent.url,
            sent.headers,
            answered.headers,
            sent.credential,
            bodies.join(" ")
        );
        for secret in [&token, &other] {
            for spelling in [secret.clone(), utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()] {
                assert!(!written.contains(&spelling), "{spelling} in {written}");
            }
            assert!(!decodes_to(&written, secret), "{secret} can be decoded from {written}");
        }
        assert!(decodes_to(&echoed.join(" | "), &token), "the search finds what is there");
        assert!(written.contains("[masked]") && written.contains("plain"), "{written}");
        assert_eq!(sent.credential.as_deref(), Some(server.url.as_str().trim_end_matches('/')));
        for name in ["set-cookie", "authorization", "content-length"] {
            assert!(!answered.headers.contains_key(name), "{name} in {written}");
        }
    }
}

#[tokio::test]
async fn what_was_recorded_is_replayed_without_a_network() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/moved" => Reply::to(302, "/there"),
        _ => Reply::new(200, format!("{} by {}", seen.target, seen.header("x-who"))).with("etag", "\"1\""),
    })
    .await;
    let request = |path: &str| {
        let mut request = get(server.at(path));
        request.header("x-who", "me").unwrap();
        request
    };
    let (tape, egress) = recording(&[]);
    let first = text(&egress, request("/moved"), &NAMED).await;
    let sent = server.seen().len();
    assert_eq!((first.as_str(), sent), ("/there by me", 2), "each hop is one request");
    // Nothing is kept for the next one, so that a recording does not depend on what was before.
    text(&egress, request("/there"), &NAMED).await;
    assert_eq!(server.seen()[2].header("if-none-match"), "");

    let egress = replaying(&tape);
    assert_eq!(text(&egress, request("/moved"), &NAMED).await, first);
    let error = egress.send(request("/other"), &NAMED).await.unwrap_err();
    assert!(matches!(&error, Error::NotRecorded(message) if message.contains("nobody recorded")), "{error}");
    assert_eq!(server.seen().len(), 3, "nothing was sent");
}

#[tokio::test]
async fn rules_hold_when_nothing_is_sent() {
    let answered = |status: u16, location: &str| {
        let headers = HeaderMap::from_iter([(http::header::LOCATION, location.parse().unwrap())]);
        Some(Answered { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::new() })
    };
    let sent = |url: &str| Sent {
        method: Method::GET,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        credential: None,
        body: Bytes::new(),
    };
    let tape = Tape(Mutex::new(vec![
        (sent("https://granted.example/to-other"), answered(302, "https://other.example/")),
        (sent("https://granted.example/to-masked"), answered(302, "https://granted.example/?token=[masked]")),
        (sent("http://169.254.169.254/"), answered(200, "/")),
        (sent("https://other.example/"), answered(200, "/")),
    ]));
    let egress = replaying(&Arc::new(tape));
    let url = |text: &str| text.parse::<url::Url>().unwrap();
    let policy = Origins(vec![url("https://granted.example"), url("http://169.254.169.254")]);
    let check = async |text: &str, credential: Option<Credential>, expected: &str| {
        let mut request = get(url(text));
        request.credential = credential;
        let error = egress.send(request, &policy).await.unwrap_err();
        assert_eq!(error.class(), expected, "{error}");
    };
    check("https://other.example/", None, "refused").await;
    check("https://granted.example/to-other", None, "refused").await;
    check("https://granted.example/to-masked", None, "redirect").await;
    check("http://169.254.169.254/", None, "refused").await;
    let elsewhere = Credential::bearer(&url("https://other.example"), &Secret::new("token")).unwrap();
    check("https://granted.example/", Some(elsewhere), "credential").await;
    check("https://granted.example/", None, "not-recorded").await;
}

/// Whoever asks for keys of AWS asks somebody, so nobody does.
#[tokio::test]
async fn stand_ins_sign_for_aws() {
    let egress = replaying(&Arc::default());
    for account_id in [None, Some("123456789012".to_owned())] {
        let binding = callboard_egress::S3Binding { bucket: "catalog".to_owned(), account_id, ..Default::default() };
        let credential = egress.sigv4_credential(binding).await.unwrap();
        let mut request = get("https://catalog.s3.eu-central-1.amazonaws.com/".parse().unwrap());
        request.credential = Some(credential);
        let error = egress.send(request, &NAMED).await.unwrap_err();
        assert_eq!(error.class(), "not-recorded", "{error}");
    }
}
