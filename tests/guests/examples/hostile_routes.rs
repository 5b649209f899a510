//! Answers with what no route may answer: another status, headers that a browser obeys, a page, too much.

use callboard_sdk::routes::{Request, Response};
use callboard_sdk::{Context, Error, Routes};

struct Hostile;

impl Routes for Hostile {
    #[expect(clippy::panic, reason = "that is the attack")]
    fn handle(_: &Context, request: &Request) -> Result<Response, Error> {
        let answer = Response { status: 200, headers: Vec::new(), body: Some("{}".to_owned()) };
        let body = |body: String| Ok(Response { body: Some(body), ..answer.clone() });
        match request.param("attack") {
            "redirect" => Ok(answer.clone().status(302)),
            "sign-in" => Ok(answer.clone().status(401)),
            "switch" => Ok(answer.clone().status(101)),
            "no-status" => Ok(answer.clone().status(0)),
            "cookie" => Ok(answer.clone().header("Set-Cookie", "a=b")),
            "location" => Ok(answer.clone().header("location", "https://evil.example")),
            "type" => Ok(answer.clone().header("content-type", "text/html")),
            "policy" => Ok(answer.clone().header("content-security-policy", "script-src *")),
            "split" => Ok(answer.clone().header("etag", "1\r\nset-cookie: a=b")),
            "page" => body("<html><script>alert(1)</script></html>".to_owned()),
            "script" => body("\"<script>alert(1)</script>\"".to_owned()),
            "large" => body(format!("\"{}\"", "x".repeat(5 * 1024 * 1024))),
            "giant" => body("1".repeat(40 * 1024 * 1024)),
            "panic" => panic!("the guest says no"),
            "loop-forever" => loop {
                std::hint::black_box(());
            },
            other => Err(Error::other("unheard-of", other)),
        }
    }
}

callboard_sdk::export!(manifest: "examples/hostile_routes.yaml", routes: Hostile);
