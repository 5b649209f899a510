//! Reads files by URL: descriptors, placeholders, whatever the catalog names.

mod pattern;
mod plain;
mod policy;
mod resolve;
mod s3;
mod search;

use bytes::Bytes;
use http::{
    HeaderMap, StatusCode,
    header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use url::Url;

pub use self::{
    pattern::{UrlPattern, UrlPatternError},
    policy::ReadingPolicy,
    resolve::ResolveUrlError,
    search::{Found, FoundFile, Search},
};
use crate::{Egress, Error, Policy, Request, Response, target};

/// Reads URLs as `integrations` and `backend.reading.allow` permit.
#[derive(Clone, Debug)]
pub struct UrlReader {
    egress: Egress,
}

/// What a server calls the state of a file, to ask later whether it is still the same. It is a text to be stored: the
/// ETag without its quotes, or where there is none the time of the last change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Validator(pub String);

/// What a read brought.
#[derive(Clone, Debug)]
pub enum Read {
    /// The file is as it was when the known validator was given.
    Unchanged,
    /// The file.
    Content(Content),
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its bytes.
    pub body: Bytes,
    /// Its validator, if the server gives one.
    pub validator: Option<Validator>,
    /// Where it was in the end.
    pub url: Url,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such file.
    #[error("{url} does not exist ({reason})")]
    NotFound {
        /// The URL.
        url: String,
        /// The server's words.
        reason: String,
    },
    /// A rule of this side forbids to read it.
    #[error("{message}{}", .fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default())]
    NotAllowed {
        /// The URL.
        url: String,
        /// The rule.
        message: String,
        /// The line to add and where, if a line can permit it.
        fix: Option<String>,
    },
    /// The file is too large.
    #[error("{url} is too large: files may have {limit} bytes{}", .length.map(|length| format!(", this one has {length}")).unwrap_or_default())]
    TooLarge {
        /// The URL.
        url: String,
        /// The limit.
        limit: u64,
        /// What the server says the size is.
        length: Option<u64>,
    },
    /// The URL stands for many files, where nothing says which files there are.
    #[error(
        "{url} is a pattern, and {host} is read file by file, as `backend.reading.allow` permits: it cannot be asked \
         which files it has. Name each file, in the `targets` of a Location where there are many, or keep them in a \
         bucket of `integrations.awsS3`, which can be searched; write %2A where the asterisk is part of a name"
    )]
    NotSearchable {
        /// The URL.
        url: String,
        /// Its host.
        host: String,
    },
    /// A search led too far.
    #[error("{url} leads through more than {limit}; begin the pattern in a smaller folder, or use several")]
    TooMany {
        /// The URL.
        url: String,
        /// What there may be at most.
        limit: String,
    },
    /// The server asked again and again to come back later.
    #[error("{url} could not be read: the server is throttling ({reason}); the next run will try again")]
    Throttled {
        /// The URL.
        url: String,
        /// The server's words.
        reason: String,
    },
    /// Anything else.
    #[error("could not read {url}, {reason}")]
    Failed {
        /// The URL.
        url: String,
        /// What happened.
        reason: String,
        /// Whether to try again later may help.
        transient: bool,
    },
}

impl UrlReader {
    pub(crate) fn new(egress: Egress) -> Self {
        Self { egress }
    }

    /// Reads a file, or finds that it is still the one whose validator is known.
    pub async fn read(&self, url: &Url, known: Option<&Validator>) -> Result<Read, ReadError> {
        let url = target::prepare(url.clone()).map_err(ReadError::from)?;
        match self.egress.inner.aws.locate(&url) {
            Some(at) => self.read_s3(&url, &at, known).await,
            None => self.read_plain(url, known).await,
        }
    }

    /// The URL that a file means by a text such as `./schema.json`.
    ///
    /// Relative paths start from the file's own folder; one that begins with `/` starts from the root of the repository
    /// where the file is in one (GitHub, GitLab, Bitbucket, Azure DevOps, Gitea), and from that of the host elsewhere.
    pub fn resolve(&self, base: &Url, relative: &str) -> Result<Url, ResolveUrlError> {
        resolve::resolve(&self.egress.inner.settings.integrations, base, relative)
    }

    /// The rules of `backend.reading.allow` alone, for GET, HEAD and OPTIONS.
    pub fn reading_policy(&self) -> ReadingPolicy {
        ReadingPolicy::new(self.egress.inner.clone())
    }

    /// The request that every kind of read begins with.
    fn request(&self, url: Url, known: Option<&Validator>) -> Result<Request, ReadError> {
        let limits = &self.egress.inner.settings.limits;
        let mut request = Request::get(url);
        request.timeout = limits.read_timeout;
        request.max_redirects = limits.redirects;
        request.max_body = limits.read_bytes;
        request.retry = true;
        if let Some(known) = known {
            known.make_conditional(&mut request)?;
        }
        Ok(request)
    }

    async fn send(&self, request: Request, policy: &dyn Policy) -> Result<Response, ReadError> {
        Ok(self.egress.send(request, policy).await?)
    }

    /// Takes a response that says that the file is here, or has not changed.
    async fn take(response: Response, known: Option<&Validator>) -> Result<Read, ReadError> {
        let validator = Validator::of(&response.headers);
        // Servers that do not know conditions still tell the same ETag.
        let same = known.is_some_and(|known| known.is_strong() && validator.as_ref() == Some(known));
        if response.status == StatusCode::NOT_MODIFIED || same {
            return Ok(Read::Unchanged);
        }
        let body = response.body.collect(u64::MAX).await?;
        Ok(Read::Content(Content { body, validator, url: response.url }))
    }
}

impl Validator {
    const LAST_MODIFIED: &str = "last-modified:";

    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        if let Some(etag) = text(ETAG).filter(|etag| !etag.is_empty()) {
            let (weak, quoted) = match etag.strip_prefix("W/") {
                Some(rest) => ("W/", rest),
                None => ("", etag),
            };
            let bare = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
            return Some(Self(format!("{weak}{bare}")));
        }
        text(LAST_MODIFIED).map(|time| Self(format!("{}{time}", Self::LAST_MODIFIED)))
    }

    fn is_strong(&self) -> bool {
        !self.0.starts_with("W/") && !self.0.starts_with(Self::LAST_MODIFIED)
    }

    fn make_conditional(&self, request: &mut Request) -> Result<(), Error> {
        match self.0.strip_prefix(Self::LAST_MODIFIED) {
            Some(time) => request.header(IF_MODIFIED_SINCE.as_str(), time),
            None => {
                let (weak, bare) = match self.0.strip_prefix("W/") {
                    Some(bare) => ("W/", bare),
                    None => ("", self.0.as_str()),
                };
                request.header(IF_NONE_MATCH.as_str(), &format!("{weak}\"{}\"", bare.trim_matches('"')))
            }
        }
    }
}

impl ReadError {
    /// Whether to try again later may help, without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Failed { transient: true, .. })
    }

    /// The error for a response that is not the file.
    fn from_status(url: String, status: StatusCode, detail: Option<String>) -> Self {
        let mut reason = format!("{} {}", status.as_str(), status.canonical_reason().unwrap_or("unknown status"));
        if let Some(detail) = detail {
            reason = format!("{reason}: {detail}");
        }
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Self::NotFound { url, reason },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Self::Throttled { url, reason },
            _ => Self::Failed { url, reason: reason.trim_end().to_owned(), transient: status.is_server_error() },
        }
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        let transient = error.is_transient();
        let message = error.to_string();
        match error {
            Error::Refused { url, redirected, refused } => {
                let led = if redirected { " (a redirect led there)" } else { "" };
                Self::NotAllowed { url, message: format!("{}{led}", refused.message), fix: refused.fix }
            }
            Error::Address { url, reason, .. } => {
                let fix = url::Url::parse(&url).ok().filter(|_| reason.nameable).map(|url| policy::line_for(&url));
                Self::NotAllowed { url, message, fix }
            }
            Error::Url { url, .. } => Self::NotAllowed { url, message, fix: None },
            Error::TooLarge { url, limit, length } => Self::TooLarge { url, limit, length },
            Error::Timeout { url, .. }
            | Error::Broken { url, .. }
            | Error::Malformed { url, .. }
            | Error::Upload { url, .. }
            | Error::Redirect { url, .. } => Self::Failed { url, reason: message, transient },
            Error::Resolve { host, .. } => Self::Failed { url: host, reason: message, transient },
            Error::Connect { origin, .. } | Error::Tls { origin, .. } => {
                Self::Failed { url: origin, reason: message, transient }
            }
            Error::CredentialNotForOrigin { url, .. } => Self::Failed { url, reason: message, transient },
            Error::Header { .. } | Error::Credential(_) | Error::NotRecorded(_) => {
                Self::Failed { url: "the file".to_owned(), reason: message, transient }
            }
        }
    }
}

impl ReadError {
    /// Names the file where the error itself could only name a host or nothing.
    fn about(self, file: &Url) -> Self {
        match self {
            Self::Failed { reason, transient, .. } => Self::Failed { url: target::shown(file), reason, transient },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn validators() {
        let check = |name: &'static str, value: &'static str, stored: &str, condition: (&str, &str)| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            let validator = Validator::of(&headers).unwrap();
            assert_eq!(validator.0, stored);
            let mut request = Request::get(Url::parse("https://example.com/").unwrap());
            validator.make_conditional(&mut request).unwrap();
            assert_eq!(request.headers[condition.0], condition.1);
        };
        check("etag", "\"abc\"", "abc", ("if-none-match", "\"abc\""));
        check("etag", "W/\"abc\"", "W/abc", ("if-none-match", "W/\"abc\""));
        check("etag", "abc", "abc", ("if-none-match", "\"abc\""));
        check("etag", "\"a-2\"", "a-2", ("if-none-match", "\"a-2\""));
        let time = "Sun, 06 Nov 1994 08:49:37 GMT";
        check("last-modified", time, &format!("last-modified:{time}"), ("if-modified-since", time));
        assert_eq!(Validator::of(&HeaderMap::new()), None);
    }
}
