//! Commands that chromedriver has beyond the WebDriver standard.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::Value;
use url::Url;

/// A `POST` below the session's path.
#[derive(Debug)]
pub(super) struct Post {
    path: &'static str,
    body: Value,
}

impl Post {
    pub(super) fn new(path: &'static str, body: Value) -> Self {
        Self { path, body }
    }
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, url::ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _request_url: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
