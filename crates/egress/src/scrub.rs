//! Takes what was attached to a request out of what comes back.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Secret;

/// What stands where a secret stood.
pub(crate) const MASK: &str = "[masked]";

/// A shorter text is no secret worth the name, and masking each occurrence of it would only tell where it is.
const SHORTEST: usize = 4;

/// Of a shorter text the Base64 would be a few characters, which may stand anywhere.
const SHORTEST_ENCODED: usize = 6;

/// A text that must not come back.
#[derive(Clone)]
pub(crate) struct Pattern(Secret);

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self(Secret::new(text))
    }

    /// The same, and every Base64 that the text is a part of.
    ///
    /// What Base64 makes of a text depends on how many bytes are before it, so there are three forms; the characters at
    /// either end that depend on its neighbours as well are left out.
    pub(crate) fn also_encoded(&self) -> Vec<Self> {
        let text = self.0.expose();
        let mut patterns = vec![self.clone()];
        if text.len() < SHORTEST_ENCODED {
            return patterns;
        }
        for before in ["", "-", "--"] {
            let bytes = [before, text].concat();
            let own = (before.len() * 8).div_ceil(6)..bytes.len() * 8 / 6;
            for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                patterns.extend(alphabet.encode(&bytes).get(own.clone()).map(Self::new));
            }
        }
        patterns
    }

    /// The text as it is, and as JSON, a URL or XML would spell it.
    fn spellings(&self) -> Vec<Vec<u8>> {
        let text = self.0.expose();
        if text.len() < SHORTEST {
            return Vec::new();
        }
        let mut spellings = vec![
            text.to_owned(),
            text.replace('/', "\\/"),
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
            lower_case_digits(&utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()),
        ];
        if let Ok(json) = serde_json::to_string(text) {
            spellings.push(json.trim_matches('"').to_owned());
        }
        spellings.sort_unstable();
        spellings.dedup();
        spellings.into_iter().map(String::into_bytes).collect()
    }
}

/// `%2F` as `%2f`; letters that are not part of an encoded byte keep their case.
fn lower_case_digits(encoded: &str) -> String {
    let mut digits = 0;
    encoded
        .chars()
        .map(|char| {
            let is_digit = digits > 0;
            digits = if char == '%' { 2 } else { digits.max(1) - 1 };
            if is_digit { char.to_ascii_lowercase() } else { char }
        })
        .collect()
}

/// Masks every pattern in a stream of bytes, also where one is cut by the border of two chunks.
#[derive(Default)]
pub(crate) struct Scrubber {
    patterns: Vec<Vec<u8>>,
    search: Option<aho_corasick::AhoCorasick>,
    /// The end of what came so far, while it may be the beginning of a pattern.
    held: BytesMut,
}

impl Scrubber {
    pub(crate) fn new(patterns: &[Pattern]) -> Result<Self, aho_corasick::BuildError> {
        let patterns: Vec<Vec<u8>> = patterns.iter().flat_map(Pattern::spellings).collect();
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        let search = aho_corasick::AhoCorasick::builder()
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(&patterns)?;
        Ok(Self { patterns, search: Some(search), held: BytesMut::new() })
    }

    /// Whether there is nothing to mask.
    pub(crate) fn is_idle(&self) -> bool {
        self.search.is_none()
    }

    /// Takes the next chunk and gives what can be passed on.
    pub(crate) fn push(&mut self, chunk: Bytes) -> Bytes {
        if self.is_idle() {
            return chunk;
        }
        self.held.extend_from_slice(&chunk);
        let keep_from = self.open_end();
        self.pass_on(keep_from)
    }

    /// Gives what is left after the last chunk.
    pub(crate) fn finish(&mut self) -> Bytes {
        let end = self.held.len();
        self.pass_on(end)
    }

    /// Masks the values of headers.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        let Some(search) = &self.search else { return };
        for value in headers.values_mut() {
            if search.is_match(value.as_bytes()) {
                let masked = search.replace_all_bytes(value.as_bytes(), &vec![MASK.as_bytes(); self.patterns.len()]);
                // Taking bytes out of a valid value and adding the mask gives a valid value.
                *value = HeaderValue::from_bytes(&masked).unwrap_or_else(|_| HeaderValue::from_static(MASK));
            }
        }
    }

    /// Masks a text, such as a message about the response.
    pub(crate) fn text(&self, text: &str) -> String {
        match &self.search {
            Some(search) => search.replace_all(text, &vec![MASK; self.patterns.len()]),
            None => text.to_owned(),
        }
    }

    /// Where the longest end begins that is the beginning of a pattern, or the end itself.
    fn open_end(&self) -> usize {
        let longest = self.patterns.iter().map(Vec::len).max().unwrap_or(0);
        let first = self.held.len().saturating_sub(longest.saturating_sub(1));
        (first..self.held.len())
            .find(|&start| {
                let end = self.held.get(start..).unwrap_or_default();
                self.patterns.iter().any(|pattern| pattern.len() > end.len() && pattern.starts_with(end))
            })
            .unwrap_or(self.held.len())
    }

    /// Masks and removes everything before `keep_from`. A match that begins before it and ends after it is masked too;
    /// one that begins at it may still become a longer one and waits.
    fn pass_on(&mut self, keep_from: usize) -> Bytes {
        let Some(search) = &self.search else { return self.held.split().freeze() };
        let mut out = BytesMut::with_capacity(keep_from);
        let mut at = 0;
        for found in search.find_iter(&self.held) {
            if found.start() >= keep_from {
                break;
            }
            out.extend_from_slice(self.held.get(at..found.start()).unwrap_or_default());
            out.extend_from_slice(MASK.as_bytes());
            at = found.end();
        }
        if at < keep_from {
            out.extend_from_slice(self.held.get(at..keep_from).unwrap_or_default());
            at = keep_from;
        }
        let _passed = self.held.split_to(at);
        out.freeze()
    }
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrubber({} patterns)", self.patterns.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts the text in every way into chunks of one size, and at every single place into two.
    fn check(secrets: &[&str], text: &str, expected: &str) {
        let patterns: Vec<Pattern> = secrets.iter().map(|secret| Pattern::new(secret)).collect();
        let scrub = |chunks: &[&[u8]]| {
            let mut scrubber = Scrubber::new(&patterns).unwrap();
            let mut out = Vec::new();
            for chunk in chunks {
                out.extend(scrubber.push(Bytes::copy_from_slice(chunk)));
            }
            out.extend(scrubber.finish());
            String::from_utf8(out).unwrap()
        };
        for size in 1..=text.len().max(1) {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(scrub(&chunks), expected, "chunks of {size}");
        }
        for place in 0..text.len() {
            let (a, b) = text.as_bytes().split_at(place);
            assert_eq!(scrub(&[a, b]), expected, "cut at {place}");
        }
    }

    #[test]
    fn masks_across_borders() {
        check(&["s3cr3t"], "a s3cr3t b", "a [masked] b");
        check(&["s3cr3t"], "s3cr3t", "[masked]");
        check(&["s3cr3t"], "s3cr3ts3cr3t", "[masked][masked]");
        check(&["s3cr3t"], "s3cr3 s3cr3", "s3cr3 s3cr3");
        check(&["s3cr3t"], "s3cs3cr3t", "s3c[masked]");
        check(&["aaaa", "aaaaaaaa"], "xaaaaaaaay", "x[masked]y");
        check(&["aaaab"], "aaaaaaab", "aaa[masked]");
        check(&["abcdef", "defghi"], "abcdefghi", "[masked]ghi");
        check(&[], "anything", "anything");
        check(&["abc"], "abc", "abc");
        check(&["k/ey+1"], "k%2Fey%2B1 k%2fey%2b1 k\\/ey+1 k/ey+1", "[masked] [masked] [masked] [masked]");
        check(&["KEY/é+1"], "KEY%2F%C3%A9%2B1 KEY%2f%c3%a9%2b1 key%2f%c3%a9%2b1", "[masked] [masked] key%2f%c3%a9%2b1");
        check(&["a&b\"c"], "a&amp;b\"c a&b\\\"c", "[masked] [masked]");
        check(&["PASSword"], "password PASSword", "password [masked]");
    }

    #[test]
    fn masks_base64() {
        let secret = "s3cr3t/canary?~";
        for before in 0..7 {
            for after in 0..4 {
                let around = format!("{}{secret}{}", "<".repeat(before), ">".repeat(after));
                for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                    let encoded = alphabet.encode(&around);
                    let masked = Scrubber::new(&Pattern::new(secret).also_encoded()).unwrap().text(&encoded);
                    assert!(masked.contains(MASK), "{before} before, {after} after: {masked}");
                    // What is left of it is at most one character at either end.
                    let left = encoded.len() - masked.replace(MASK, "").len();
                    assert!(left * 6 >= secret.len() * 8 - 10, "{before} before, {after} after: {masked}");
                }
            }
        }
        assert_eq!(Pattern::new("short").also_encoded().len(), 1);
    }

    #[test]
    fn masks_headers() {
        let scrubber = Scrubber::new(&[Pattern::new("s3cr3t")]).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("Bearer s3cr3t, s3cr3t"));
        headers.insert("x-other", HeaderValue::from_static("fine"));
        scrubber.headers(&mut headers);
        assert_eq!(headers["x-echo"], "Bearer [masked], [masked]");
        assert_eq!(headers["x-other"], "fine");
    }
}
