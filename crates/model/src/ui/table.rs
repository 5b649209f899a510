//! `table`: rows of data. The plugin sorts, filters and turns pages; the page only asks for it.

use serde::{Deserialize, Serialize};

use super::builder::{node, part};
use super::{Button, Node, Text};

/// Rows of data. At most 500 rows at once; `next` asks for more.
///
/// What a reader does to it comes back as a [`TableState`] in [`Input::tables`](super::Input::tables), under the
/// table's `id`.
///
/// ```
/// use callboard_model::ui::{Button, Bytes, Column, Row, Table};
///
/// let table = Table::new("Objects of the bucket", [Column::new("Key").sort("key"), Column::new("Size").end()])
///     .id("objects")
///     .filter("Part of a key")
///     .row(Row::new().cell("a.yaml").cell(Bytes::new(2048)).action(Button::new("Delete", "delete").value("a.yaml")))
///     .next("page-2")
///     .total(812_u64);
/// assert_eq!(table.rows.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Names the table where there are several; unique in the tree.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Read to people who cannot see it; always shown to them, so say what the rows are.
    pub caption: Text,
    /// Headings.
    pub columns: Vec<Column>,
    /// Each as long as `columns`.
    pub rows: Vec<Row>,
    /// Handed back as [`TableState::cursor`] when the reader asks for more, and for a table without an `id` as
    /// [`Input::cursor`](super::Input::cursor), too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many rows there are on all pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The rows' order, as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// What one may filter by: a field with this label stands above the rows, and what is typed there comes back as
    /// [`TableState::filter`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Text>,
    /// What is said where there is no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<Text>,
}

impl Table {
    /// With these columns, and no row yet.
    pub fn new<C: Into<Column>>(caption: impl Into<Text>, columns: impl IntoIterator<Item = C>) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self { caption: caption.into(), columns, ..Self::default() }
    }

    /// Adds a row.
    #[must_use]
    pub fn row(mut self, row: impl Into<Row>) -> Self {
        self.rows.push(row.into());
        self
    }

    /// Adds several.
    #[must_use]
    pub fn rows<R: Into<Row>>(mut self, rows: impl IntoIterator<Item = R>) -> Self {
        self.rows.extend(rows.into_iter().map(Into::into));
        self
    }
}

node!(Table in Table {
    optional next: String,
    optional total: u64,
    optional sort: Sort,
    optional filter: Text,
    optional empty: Text,
    plain id: String,
});

/// A column of a [`Table`]. In JSON a heading alone may stand for it.
///
/// ```
/// use callboard_model::ui::Column;
///
/// assert_eq!(Column::from("Key"), Column::new("Key"));
/// assert_eq!(Column::new("Size").sort("size").sort.as_deref(), Some("size"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ColumnRepr", into = "ColumnRepr")]
pub struct Column {
    /// The heading.
    pub title: Text,
    /// The plugin's name for the column, by which [`Sort::by`] asks for an order; none: its heading does not sort.
    pub sort: Option<String>,
    /// Its cells end at a common edge, as numbers do.
    pub end: bool,
}

impl Column {
    /// With this heading.
    pub fn new(title: impl Into<Text>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
}

part!(Column { optional sort: String, flag end, });

impl From<&str> for Column {
    fn from(title: &str) -> Self {
        Self::new(title)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ColumnRepr {
    Title(String),
    Column {
        title: Text,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sort: Option<String>,
        #[serde(default)]
        end: bool,
    },
}

impl From<ColumnRepr> for Column {
    fn from(repr: ColumnRepr) -> Self {
        match repr {
            ColumnRepr::Title(title) => Self::new(title),
            ColumnRepr::Column { title, sort, end } => Self { title, sort, end },
        }
    }
}

impl From<Column> for ColumnRepr {
    fn from(Column { title, sort, end }: Column) -> Self {
        match title {
            Text { text, key: None, args } if sort.is_none() && !end && args.is_empty() => Self::Title(text),
            title => Self::Column { title, sort, end },
        }
    }
}

/// A row of a [`Table`]. In JSON its cells alone may stand for it.
///
/// ```
/// use callboard_model::ui::{Button, Row};
///
/// let row = Row::new().cell("a.yaml").action(Button::new("Delete", "delete").value("a.yaml"));
/// assert_eq!((row.cells.len(), row.actions.len()), (1, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "RowRepr", into = "RowRepr")]
pub struct Row {
    /// As many as there are columns.
    pub cells: Vec<Node>,
    /// What can be done to it, at its end.
    pub actions: Vec<Button>,
}

impl Row {
    /// Without a cell yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a cell.
    #[must_use]
    pub fn cell(mut self, cell: impl Into<Node>) -> Self {
        self.cells.push(cell.into());
        self
    }

    /// Adds something that can be done to it.
    #[must_use]
    pub fn action(mut self, action: Button) -> Self {
        self.actions.push(action);
        self
    }
}

impl From<Vec<Node>> for Row {
    fn from(cells: Vec<Node>) -> Self {
        Self { cells, actions: Vec::new() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RowRepr {
    Cells(Vec<Node>),
    Row {
        cells: Vec<Node>,
        #[serde(default)]
        actions: Vec<Button>,
    },
}

impl From<RowRepr> for Row {
    fn from(repr: RowRepr) -> Self {
        match repr {
            RowRepr::Cells(cells) => cells.into(),
            RowRepr::Row { cells, actions } => Self { cells, actions },
        }
    }
}

impl From<Row> for RowRepr {
    fn from(Row { cells, actions }: Row) -> Self {
        if actions.is_empty() { Self::Cells(cells) } else { Self::Row { cells, actions } }
    }
}

/// An order of rows.
///
/// ```
/// use callboard_model::ui::Sort;
///
/// assert!(Sort::new("size").descending().descending);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sort {
    /// A [`Column::sort`].
    pub by: String,
    /// Largest first.
    #[serde(default)]
    pub descending: bool,
}

impl Sort {
    /// By this column, smallest first.
    pub fn new(by: impl Into<String>) -> Self {
        Self { by: by.into(), descending: false }
    }
}

part!(Sort { flag descending, });

/// What a reader did to a [`Table`].
///
/// ```
/// use callboard_model::ui::{Input, Sort};
///
/// let input: Input = serde_json::from_str(r#"{ "tables": { "objects": { "sort": { "by": "size" } } } }"#)?;
/// let state = input.table("objects");
/// assert_eq!(state.sort, Some(Sort::new("size")));
/// assert_eq!(state.cursor, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableState {
    /// The page: what [`Table::next`] said; none for the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The order that is asked for; none: as the plugin likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// What was typed into the filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
}
