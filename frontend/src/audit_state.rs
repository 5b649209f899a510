//! The state of the audit page, which is its address. Its names and values are those of `/api/audit`.

use callboard_model::api::AuditDecision;
use url::form_urlencoded;

/// Rows a page, where the URL does not say.
pub(crate) const LIMIT: u64 = 50;

/// What the page shows. Texts are empty where nothing narrows it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditState {
    /// Who.
    pub actor: String,
    /// A permission, or a pattern that stands for several.
    pub permission: String,
    /// `allowed` or `denied`.
    pub decision: String,
    /// What it was about.
    pub resource: String,
    /// At this time or later, RFC 3339.
    pub since: String,
    /// Before this time, RFC 3339.
    pub until: String,
    /// Where the page begins; the newest row where it is empty.
    pub cursor: String,
    /// Rows a page.
    pub limit: u64,
}

impl Default for AuditState {
    fn default() -> Self {
        Self {
            actor: String::new(),
            permission: String::new(),
            decision: String::new(),
            resource: String::new(),
            since: String::new(),
            until: String::new(),
            cursor: String::new(),
            limit: LIMIT,
        }
    }
}

impl AuditState {
    /// Reads the query of a URL, with or without its `?`. What it does not know it ignores.
    pub(crate) fn parse(search: &str) -> Self {
        let mut state = Self::default();
        for (name, value) in form_urlencoded::parse(search.trim_start_matches('?').as_bytes()) {
            let value = value.into_owned();
            match &*name {
                "actor" => state.actor = value,
                "permission" => state.permission = value,
                "decision" if decision(&value).is_some() => state.decision = value,
                "resource" => state.resource = value,
                "since" => state.since = value,
                "until" => state.until = value,
                "cursor" => state.cursor = value,
                "limit" => state.limit = value.parse().unwrap_or(LIMIT).clamp(1, 500),
                _ => {}
            }
        }
        state
    }

    /// The page's address.
    pub(crate) fn href(&self) -> String {
        let limit = if self.limit == LIMIT { String::new() } else { self.limit.to_string() };
        let parameters =
            self.filters().into_iter().chain([("cursor", self.cursor.as_str()), ("limit", limit.as_str())]);
        let given = parameters.filter(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
        // Colons and slashes may stand in a query as they are, and read better so.
        let query = query.replace("%3A", ":").replace("%2F", "/");
        if query.is_empty() { "/audit".to_owned() } else { format!("/audit?{query}") }
    }

    /// What narrows it down, by the API's names.
    pub(crate) fn filters(&self) -> [(&'static str, &str); 6] {
        [
            ("actor", &self.actor),
            ("permission", &self.permission),
            ("decision", &self.decision),
            ("resource", &self.resource),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }

    /// Whether anything narrows it down.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.filters().iter().any(|(_, value)| !value.is_empty())
    }

    /// From the newest row.
    pub(crate) fn newest(self) -> Self {
        Self { cursor: String::new(), ..self }
    }
}

/// A decision by its name.
pub(crate) fn decision(name: &str) -> Option<AuditDecision> {
    match name {
        "allowed" => Some(AuditDecision::Allowed),
        "denied" => Some(AuditDecision::Denied),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_the_state() {
        for (search, href) in [
            ("", "/audit"),
            ("?unknown=1&decision=maybe&actor=", "/audit"),
            ("?decision=denied&actor=user:default/ada", "/audit?actor=user:default/ada&decision=denied"),
            ("?permission=catalog.*&limit=50", "/audit?permission=catalog.*"),
            ("?limit=0&cursor=12", "/audit?cursor=12&limit=1"),
            ("?limit=9999", "/audit?limit=500"),
            (
                "?since=2026-11-20T23:00:00.000Z&until=2026-11-21T23:00:00.000Z&resource=a%26b",
                "/audit?resource=a%26b&since=2026-11-20T23:00:00.000Z&until=2026-11-21T23:00:00.000Z",
            ),
        ] {
            let state = AuditState::parse(search);
            assert_eq!(state.href(), href, "{search}");
            assert_eq!(AuditState::parse(href.strip_prefix("/audit").unwrap()), state, "{search}");
        }
    }

    #[test]
    fn a_page_is_no_filter() {
        assert!(!AuditState::parse("?cursor=5&limit=10").is_narrowed());
        assert!(AuditState::parse("?actor=a").is_narrowed());
        assert_eq!(AuditState::parse("?actor=a&cursor=5").newest().href(), "/audit?actor=a");
    }
}
