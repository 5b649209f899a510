//! Query parameters, checked as strictly as the API's description is: what a route does not know is an error.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::error::{ApiError, Result};

/// For a route that takes no query parameters: a request with one is refused before its body is read.
pub(crate) struct NoParams;

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Params::read(parts.uri.query(), &[]).map(|_| NoParams)
    }
}

/// The query parameters of a request.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads a query string. Parameters that are not in `known`, and empty ones, are errors.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Params> {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        for (name, value) in &pairs {
            if !known.contains(&name.as_str()) {
                return Err(ApiError::input(format!("Unknown query parameter '{name}'")));
            }
            if value.is_empty() {
                return Err(ApiError::input(format!("Empty value found for query parameter '{name}'")));
            }
        }
        Ok(Params { pairs })
    }

    /// A parameter that may be given once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(ApiError::input(format!("request/query/{name} must be string"))),
        }
    }

    /// A parameter that may be given several times.
    pub(crate) fn many(&self, name: &str) -> Vec<String> {
        self.all(name).map(ToOwned::to_owned).collect()
    }

    /// A list with commas. To give the parameter several times works as well.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let mut values = self.all(name).flat_map(|value| value.split(',')).map(str::trim).peekable();
        values.peek()?;
        Some(values.filter(|value| !value.is_empty()).map(ToOwned::to_owned).collect())
    }

    /// A whole number, 0 or more.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) => match u64::try_from(number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(ApiError::input(format!("request/query/{name} must be >= 0"))),
            },
            Err(_) => Err(ApiError::input(format!("request/query/{name} must be integer"))),
        }
    }

    /// One of a few words.
    pub(crate) fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>> {
        match self.one(name)? {
            Some(word) if !words.contains(&word) => Err(ApiError::input(format!(
                "request/query/{name} must be equal to one of the allowed values: {}",
                words.join(", ")
            ))),
            word => Ok(word),
        }
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["filter", "limit", "fields"];

    #[test]
    fn strictness() {
        fn check(query: &str, expected: &str) {
            let error = Params::read(Some(query), &KNOWN).map(|params| params.integer("limit").map(|_| ()));
            let message = match error {
                Err(error) | Ok(Err(error)) => error.message,
                Ok(Ok(())) => "fine".to_owned(),
            };
            assert_eq!(message, expected, "?{query}");
        }
        check("", "fine");
        check("filter=kind%3Dapi&filter=a,b", "fine");
        check("foo=1", "Unknown query parameter 'foo'");
        check("filter[]=kind=api", "Unknown query parameter 'filter[]'");
        check("filter=", "Empty value found for query parameter 'filter'");
        check("filter", "Empty value found for query parameter 'filter'");
        check("limit=ten", "request/query/limit must be integer");
        check("limit=1.5", "request/query/limit must be integer");
        check("limit=-1", "request/query/limit must be >= 0");
        check("limit=99999999999999999999", "request/query/limit must be integer");
        check("limit=1&limit=2", "request/query/limit must be string");
        check("limit=0", "fine");
    }

    #[test]
    fn lists() {
        fn check(query: &str, expected: Option<&[&str]>) {
            let params = Params::read(Some(query), &KNOWN).unwrap();
            let expected = expected.map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(params.list("fields"), expected, "?{query}");
        }
        check("", None);
        check("fields=a", Some(&["a"]));
        check("fields=a,b.c", Some(&["a", "b.c"]));
        check("fields=a&fields=b,%20c", Some(&["a", "b", "c"]));
        check("fields=a,,b", Some(&["a", "b"]));
    }
}
