//! The bounds of a UI tree.

mod figure;

use std::collections::BTreeSet;

use super::{Node, Row, Table, Tree};

/// How many nodes a tree may have. Rows of a table are data and do not count, what is inside of their cells does. Items
/// of a `tree` count.
pub const MAX_NODES: usize = 5_000;
/// How deep nodes may be nested.
pub const MAX_DEPTH: usize = 32;
/// How many rows a table may have at once; the rest comes by its cursor.
pub const MAX_ROWS: usize = 500;
/// How many columns a table may have: no page shows more, and it bounds what 500 rows can be.
pub const MAX_COLUMNS: usize = 50;
/// How many views `tabs` may have: more are a list.
pub const MAX_TABS: usize = 20;
/// How many bytes of JSON a tree may be. Whoever reads the JSON checks this, before it is parsed.
pub const MAX_BYTES: usize = 1 << 20;

/// Why a tree is not shown; its author's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// See [`MAX_NODES`].
    #[error("the UI tree has more than {MAX_NODES} nodes; show less at once, or use a table with a cursor")]
    Nodes,
    /// See [`MAX_DEPTH`].
    #[error("the UI tree is nested more than {MAX_DEPTH} deep")]
    Depth,
    /// See [`MAX_ROWS`].
    #[error("the table \"{caption}\" has {rows} rows; hand over {MAX_ROWS} at most and `next` for the rest")]
    Rows {
        /// The table's.
        caption: String,
        /// How many there are.
        rows: usize,
    },
    /// See [`MAX_COLUMNS`].
    #[error("the table \"{caption}\" has {columns} columns; {MAX_COLUMNS} are allowed")]
    Columns {
        /// The table's.
        caption: String,
        /// How many there are.
        columns: usize,
    },
    /// A row is not as long as the heading.
    #[error("row {row} of the table \"{caption}\" has {cells} cells for {columns} columns")]
    Cells {
        /// The table's.
        caption: String,
        /// From 1.
        row: usize,
        /// How many the row has.
        cells: usize,
        /// How many the table has.
        columns: usize,
    },
    /// A table within a table.
    #[error("a cell of a table holds the table \"{caption}\"; put it beside the table, or on a page of its own")]
    Nested {
        /// The inner table's.
        caption: String,
    },
    /// Two tables would be told apart by nothing.
    #[error("there are two tables with the id \"{id}\"; what a reader does to one would be done to both")]
    TableId {
        /// The one that both have.
        id: String,
    },
    /// A grid has a number of columns that no page can show.
    #[error("a grid has {columns} columns; 1 to 4 are allowed")]
    Grid {
        /// How many there are.
        columns: u8,
    },
    /// See [`MAX_TABS`].
    #[error("the tabs \"{label}\" are {tabs}; 1 to {MAX_TABS} are allowed")]
    Tabs {
        /// The tabs' label.
        label: String,
        /// How many there are.
        tabs: usize,
    },
    /// A form cannot be made of its schema.
    #[error("the form for the action \"{action}\" cannot be shown: {problem}")]
    Form {
        /// The form's.
        action: String,
        /// What is wrong with the schema, and where.
        problem: String,
    },
    /// A chart or graph has too much, or what does not fit together.
    #[error("the {kind} \"{label}\" {problem}")]
    Figure {
        /// Its type.
        kind: &'static str,
        /// Its label.
        label: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Tree {
    /// Whether the tree keeps within the bounds. Needs no more stack for a deep tree than for a flat one.
    ///
    /// # Errors
    /// It does not; the error says where and what to do.
    pub fn check(&self) -> Result<(), TreeError> {
        let mut nodes = 0;
        let mut table_ids = BTreeSet::new();
        let mut open = vec![Place { node: &self.root, depth: 1, counts: true, in_cell: false }];
        while let Some(place) = open.pop() {
            nodes += usize::from(place.counts);
            if nodes > MAX_NODES {
                return Err(TreeError::Nodes);
            }
            if place.depth > MAX_DEPTH {
                return Err(TreeError::Depth);
            }
            let child = |node| Place { node, depth: place.depth + 1, counts: true, in_cell: place.in_cell };
            match place.node {
                Node::Grid(grid) if !(1..=4).contains(&grid.columns) => {
                    return Err(TreeError::Grid { columns: grid.columns });
                }
                Node::Tabs(tabs) if !(1..=MAX_TABS).contains(&tabs.tabs.len()) => {
                    return Err(TreeError::Tabs { label: tabs.label.to_string(), tabs: tabs.tabs.len() });
                }
                Node::Form(form) => {
                    form.fields().map_err(|problem| TreeError::Form { action: form.action.clone(), problem })?;
                }
                Node::Table(table) => {
                    if place.in_cell {
                        return Err(TreeError::Nested { caption: table.caption.to_string() });
                    }
                    check_table(table)?;
                    if !table.id.is_empty() && !table_ids.insert(table.id.as_str()) {
                        return Err(TreeError::TableId { id: table.id.clone() });
                    }
                    let cell = |node| Place { counts: false, in_cell: true, ..child(node) };
                    open.extend(table.rows.iter().flat_map(|row| &row.cells).map(cell));
                }
                Node::Tree(tree) => nodes += count_items(tree, place.depth, nodes)?,
                figure => figure::check(figure)?,
            }
            open.extend(place.node.children().map(child));
        }
        Ok(())
    }
}

impl Node {
    /// The nodes within it, but for the cells of a table, which are data.
    fn children(&self) -> impl Iterator<Item = &Self> {
        let (nodes, tabs, values, items): (&[Self], &[super::Tab], &[super::KeyValue], &[super::ListItem]) = match self
        {
            Self::Stack(stack) => (&stack.children, &[], &[], &[]),
            Self::Grid(grid) => (&grid.children, &[], &[], &[]),
            Self::Card(card) => (&card.children, &[], &[], &[]),
            Self::Section(section) => (&section.children, &[], &[], &[]),
            Self::Drawer(drawer) => (&drawer.children, &[], &[], &[]),
            Self::Tabs(tabs) => (&[], &tabs.tabs, &[], &[]),
            Self::KeyValues(values) => (&[], &[], &values.items, &[]),
            Self::List(list) => (&[], &[], &[], &list.items),
            _ => (&[], &[], &[], &[]),
        };
        nodes
            .iter()
            .chain(tabs.iter().flat_map(|tab| &tab.children))
            .chain(values.iter().map(|item| &item.value))
            .chain(items.iter().filter_map(|item| item.value.as_deref()))
    }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a Node,
    depth: usize,
    /// Whether it is a node, rather than a cell of a table.
    counts: bool,
    in_cell: bool,
}

fn check_table(table: &Table) -> Result<(), TreeError> {
    let caption = || table.caption.to_string();
    let (columns, rows) = (table.columns.len(), table.rows.len());
    if rows > MAX_ROWS {
        return Err(TreeError::Rows { caption: caption(), rows });
    }
    if columns > MAX_COLUMNS {
        return Err(TreeError::Columns { caption: caption(), columns });
    }
    match table.rows.iter().enumerate().find(|(_, Row { cells, .. })| cells.len() != columns) {
        None => Ok(()),
        Some((index, Row { cells, .. })) => {
            Err(TreeError::Cells { caption: caption(), row: index + 1, cells: cells.len(), columns })
        }
    }
}

/// How many items a `tree` has, which may be as many as there may be nodes, and as deep.
fn count_items(tree: &super::TreeView, depth: usize, nodes: usize) -> Result<usize, TreeError> {
    let mut count = 0;
    let mut open: Vec<_> = tree.items.iter().map(|item| (item, depth + 1)).collect();
    while let Some((item, depth)) = open.pop() {
        count += 1;
        if nodes + count > MAX_NODES {
            return Err(TreeError::Nodes);
        }
        if depth > MAX_DEPTH {
            return Err(TreeError::Depth);
        }
        open.extend(item.items.iter().map(|item| (item, depth + 1)));
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
