//! The cookie of a session.

use axum::http::{HeaderMap, HeaderValue, header};

use super::Handed;

/// The cookie's name.
pub const NAME: &str = "callboard-session";

/// The secret in a request's cookie.
#[must_use]
pub fn read(headers: &HeaderMap) -> Option<String> {
    named(headers, NAME)
}

/// The value of a request's cookie.
#[must_use]
pub fn named(headers: &HeaderMap, cookie: &str) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, value)| *name == cookie && !value.is_empty());
    values.next().map(|(_, value)| value.to_owned())
}

/// The header that hands a secret to the browser.
#[must_use]
pub fn set(handed: &Handed, is_https: bool) -> HeaderValue {
    written(&handed.secret, handed.seconds, is_https)
}

/// The header that takes the cookie back.
#[must_use]
pub fn clear(is_https: bool) -> HeaderValue {
    written("", 0, is_https)
}

/// Scripts cannot read it, and other sites' requests do not carry it. `Secure` where the portal is served by TLS.
fn written(secret: &str, seconds: u64, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{NAME}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    // A session's secret is hexadecimal, so this is always a valid header.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies() {
        fn check(cookies: &[&str], expected: Option<&str>) {
            let mut headers = HeaderMap::new();
            for value in cookies {
                headers.append(header::COOKIE, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(read(&headers).as_deref(), expected, "{cookies:?}");
        }
        check(&[], None);
        check(&["callboard-session=abc"], Some("abc"));
        check(&["a=b; callboard-session=abc; c=d"], Some("abc"));
        check(&["a=b", "callboard-session=abc"], Some("abc"));
        check(&["xcallboard-session=abc"], None);
        check(&["callboard-session="], None);
        check(&["callboard-session"], None);
    }

    #[test]
    fn what_is_set() {
        let handed = Handed { session: String::new(), secret: "5ec7e7".to_owned(), seconds: 60 };
        let plain = "callboard-session=5ec7e7; Path=/; HttpOnly; SameSite=Lax; Max-Age=60";
        assert_eq!(set(&handed, false), plain);
        assert_eq!(set(&handed, true), format!("{plain}; Secure"));
        assert_eq!(clear(false), "callboard-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
