//! The state of a list, which is its address: every filter, the order and the page are in the URL, so that back,
//! forward, reload and a link sent to somebody else all show the same rows.
//!
//! The names are those that bookmarks of other portals have: `?filters[kind]=component&filters[owners]=…`.

use url::form_urlencoded;

/// Rows a page, where the URL does not say.
pub(crate) const LIMIT: u64 = 20;

/// What a list can be narrowed down by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facet {
    /// One at most.
    Kind,
    /// `spec.type`.
    Type,
    /// References of owners.
    Owner,
    /// `spec.lifecycle`.
    Lifecycle,
    /// `metadata.tags`.
    Tag,
}

impl Facet {
    /// Those that take several values.
    pub(crate) const LISTS: [Self; 4] = [Self::Type, Self::Owner, Self::Lifecycle, Self::Tag];

    /// The field that the catalog has it under.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Type => "spec.type",
            Self::Owner => "relations.ownedBy",
            Self::Lifecycle => "spec.lifecycle",
            Self::Tag => "metadata.tags",
        }
    }

    /// The name in the URL; the singular is read as well.
    fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Type => "type",
            Self::Owner => "owners",
            Self::Lifecycle => "lifecycles",
            Self::Tag => "tags",
        }
    }
}

/// Whose entities a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Everybody's.
    #[default]
    All,
    /// What the reader or one of their groups owns.
    Owned,
    /// What the reader has starred.
    Starred,
}

impl Whose {
    /// The name in the URL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Owned => "owned",
            Self::Starred => "starred",
        }
    }

    /// By its name.
    pub(crate) fn parse(name: &str) -> Self {
        [Self::Owned, Self::Starred].into_iter().find(|whose| whose.name() == name).unwrap_or_default()
    }
}

/// The state of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListState {
    /// In lower case; all but Locations where there is none.
    pub kind: Option<String>,
    /// Any of these.
    pub types: Vec<String>,
    /// Any of these, as `kind:namespace/name`.
    pub owners: Vec<String>,
    /// Any of these.
    pub lifecycles: Vec<String>,
    /// Any of these.
    pub tags: Vec<String>,
    /// Only what the reader owns, or has starred.
    pub whose: Whose,
    /// A part of a name, title or tag.
    pub text: String,
    /// The column that orders the rows.
    pub sort: String,
    /// Largest first.
    pub descending: bool,
    /// The first row.
    pub offset: u64,
    /// Rows a page.
    pub limit: u64,
}

impl Default for ListState {
    fn default() -> Self {
        Self {
            kind: None,
            types: Vec::new(),
            owners: Vec::new(),
            lifecycles: Vec::new(),
            tags: Vec::new(),
            whose: Whose::All,
            text: String::new(),
            sort: "name".to_owned(),
            descending: false,
            offset: 0,
            limit: LIMIT,
        }
    }
}

impl ListState {
    /// Reads the query of a URL, with or without its `?`. What it does not know it ignores.
    pub(crate) fn parse(search: &str) -> Self {
        let mut state = Self::default();
        for (name, value) in form_urlencoded::parse(search.trim_start_matches('?').as_bytes()) {
            let value = value.into_owned();
            if value.is_empty() {
                continue;
            }
            if let Some(filter) = name.strip_prefix("filters[").and_then(|rest| rest.split(']').next()) {
                state.read_filter(filter, value);
                continue;
            }
            match &*name {
                "limit" => state.limit = value.parse().unwrap_or(LIMIT).clamp(1, 500),
                "offset" => state.offset = value.parse().unwrap_or(0),
                "sort" => {
                    state.descending = value.starts_with('-');
                    state.sort = value.trim_start_matches('-').to_owned();
                }
                _ => {}
            }
        }
        state
    }

    fn read_filter(&mut self, filter: &str, value: String) {
        match filter {
            "kind" => self.kind = Some(value.to_lowercase()).filter(|kind| kind != "all"),
            "user" => self.whose = Whose::parse(&value),
            "text" => self.text = value,
            _ => {
                let plural = Facet::LISTS
                    .into_iter()
                    .find(|facet| facet.name().trim_end_matches('s') == filter.trim_end_matches('s'));
                if let Some(values) = plural.and_then(|facet| self.values_mut(facet))
                    && value != "all"
                    && !values.contains(&value)
                {
                    values.push(value);
                }
            }
        }
    }

    /// The query of the URL, with its `?`, and empty where everything is as it is without one.
    pub(crate) fn to_search(&self) -> String {
        let mut query = Vec::new();
        let mut add = |name: &str, value: &str| {
            // Brackets, colons and slashes may stand in a query as they are, and read better so.
            let value = form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
            query.push(format!("{name}={}", value.replace("%3A", ":").replace("%2F", "/")));
        };
        if let Some(kind) = &self.kind {
            add("filters[kind]", kind);
        }
        for facet in Facet::LISTS {
            for value in self.values(facet) {
                add(&format!("filters[{}]", facet.name()), value);
            }
        }
        if self.whose != Whose::All {
            add("filters[user]", self.whose.name());
        }
        if !self.text.is_empty() {
            add("filters[text]", &self.text);
        }
        if self.sort != "name" || self.descending {
            add("sort", &format!("{}{}", if self.descending { "-" } else { "" }, self.sort));
        }
        if self.limit != LIMIT {
            add("limit", &self.limit.to_string());
        }
        if self.offset > 0 {
            add("offset", &self.offset.to_string());
        }
        if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
    }

    /// The values that a facet is narrowed down to.
    pub(crate) fn values(&self, facet: Facet) -> &[String] {
        match facet {
            Facet::Kind => self.kind.as_slice(),
            Facet::Type => &self.types,
            Facet::Owner => &self.owners,
            Facet::Lifecycle => &self.lifecycles,
            Facet::Tag => &self.tags,
        }
    }

    fn values_mut(&mut self, facet: Facet) -> Option<&mut Vec<String>> {
        match facet {
            Facet::Kind => None,
            Facet::Type => Some(&mut self.types),
            Facet::Owner => Some(&mut self.owners),
            Facet::Lifecycle => Some(&mut self.lifecycles),
            Facet::Tag => Some(&mut self.tags),
        }
    }

    /// Narrowed down to other values, from the first page.
    pub(crate) fn with(mut self, facet: Facet, values: Vec<String>) -> Self {
        match self.values_mut(facet) {
            Some(old) => *old = values,
            None => {
                self.kind = values.into_iter().next();
                // Each kind has types of its own.
                self.types.clear();
            }
        }
        self.offset = 0;
        self
    }

    /// Sorted by a column; the other way round where it was already.
    pub(crate) fn sorted_by(mut self, column: &str) -> Self {
        self.descending = self.sort == column && !self.descending;
        self.sort = column.to_owned();
        self.offset = 0;
        self
    }

    /// Whether anything but the kind narrows it down.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.whose != Whose::All
            || !self.text.is_empty()
            || Facet::LISTS.into_iter().any(|facet| !self.values(facet).is_empty())
    }

    /// The same kind, order and rows a page, narrowed down by nothing.
    pub(crate) fn widened(&self) -> Self {
        Self {
            kind: self.kind.clone(),
            sort: self.sort.clone(),
            descending: self.descending,
            limit: self.limit,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_the_state() {
        for (search, written) in [
            ("", ""),
            ("?", ""),
            ("?filters[kind]=Component", "?filters[kind]=component"),
            ("?filters%5Bkind%5D=api&filters%5Buser%5D=owned", "?filters[kind]=api&filters[user]=owned"),
            ("?filters[kind]=all&filters[user]=all&filters[type]=all", ""),
            ("?filters[user]=starred", "?filters[user]=starred"),
            (
                "?filters[owner]=group:default/a&filters[owners][1]=user:default/b&filters[owners]=group:default/a",
                "?filters[owners]=group:default/a&filters[owners]=user:default/b",
            ),
            ("?filters[tag]=c%2B%2B&filters[text]=a+b%26c", "?filters[tags]=c%2B%2B&filters[text]=a+b%26c"),
            ("?sort=-owner&limit=50&offset=100&unknown=1", "?sort=-owner&limit=50&offset=100"),
            ("?sort=-name", "?sort=-name"),
            ("?limit=0&offset=x", "?limit=1"),
            ("?limit=99999", "?limit=500"),
            ("?filters[nonsense]=1&filters[=2", ""),
        ] {
            let state = ListState::parse(search);
            assert_eq!(state.to_search(), written, "{search}");
            assert_eq!(ListState::parse(&state.to_search()), state, "{search}");
        }
    }

    #[test]
    fn changes_begin_at_the_first_page() {
        let state = ListState::parse("?filters[kind]=api&filters[type]=grpc&offset=40&sort=owner");
        assert_eq!(
            state.clone().with(Facet::Tag, vec!["x".into()]).to_search(),
            "?filters[kind]=api&filters[type]=grpc&filters[tags]=x&sort=owner"
        );
        assert_eq!(
            state.clone().with(Facet::Kind, vec!["system".into()]).to_search(),
            "?filters[kind]=system&sort=owner"
        );
        assert_eq!(state.clone().sorted_by("owner").to_search(), "?filters[kind]=api&filters[type]=grpc&sort=-owner");
        assert_eq!(state.clone().sorted_by("name").to_search(), "?filters[kind]=api&filters[type]=grpc");
        assert!(state.is_narrowed() && !state.widened().is_narrowed());
    }
}
