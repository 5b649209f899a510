//! The bounds of a UI tree.

use super::{Node, Tree};

/// How many nodes a tree may have. Rows of a table are data and do not count, what is inside of their cells does.
pub const MAX_NODES: usize = 5_000;
/// How deep nodes may be nested.
pub const MAX_DEPTH: usize = 32;
/// How many rows a table may have at once; the rest comes by its cursor.
pub const MAX_ROWS: usize = 500;
/// How many columns a table may have: no page shows more, and it bounds what 500 rows can be.
pub const MAX_COLUMNS: usize = 50;
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
    /// A grid has a number of columns that no page can show.
    #[error("a grid has {columns} columns; 1 to 4 are allowed")]
    Grid {
        /// How many there are.
        columns: u8,
    },
}

impl Tree {
    /// Whether the tree keeps within the bounds. Needs no more stack for a deep tree than for a flat one.
    pub fn check(&self) -> Result<(), TreeError> {
        let mut nodes = 0;
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
                Node::Grid { columns, .. } if !(1..=4).contains(columns) => {
                    return Err(TreeError::Grid { columns: *columns });
                }
                Node::Stack { children, .. } | Node::Grid { children, .. } | Node::Card { children, .. } => {
                    open.extend(children.iter().map(child));
                }
                Node::KeyValues { items } => open.extend(items.iter().map(|item| child(&item.value))),
                Node::Table { caption, .. } if place.in_cell => {
                    return Err(TreeError::Nested { caption: caption.clone() });
                }
                Node::Table { caption, columns, rows, .. } => {
                    check_table(caption, columns.len(), rows)?;
                    let cell = |node| Place { counts: false, in_cell: true, ..child(node) };
                    open.extend(rows.iter().flatten().map(cell));
                }
                _ => {}
            }
        }
        Ok(())
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

fn check_table(caption: &str, columns: usize, rows: &[Vec<Node>]) -> Result<(), TreeError> {
    let caption = || caption.to_owned();
    if rows.len() > MAX_ROWS {
        return Err(TreeError::Rows { caption: caption(), rows: rows.len() });
    }
    if columns > MAX_COLUMNS {
        return Err(TreeError::Columns { caption: caption(), columns });
    }
    match rows.iter().enumerate().find(|(_, cells)| cells.len() != columns) {
        None => Ok(()),
        Some((index, cells)) => {
            Err(TreeError::Cells { caption: caption(), row: index + 1, cells: cells.len(), columns })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Node {
        Node::Text { text: String::new() }
    }

    fn stack(children: Vec<Node>) -> Node {
        Node::Stack { children, horizontal: false }
    }

    fn table(columns: usize, rows: Vec<Vec<Node>>) -> Node {
        Node::Table { caption: "Keys".into(), columns: vec![String::new(); columns], rows, next: None }
    }

    #[test]
    fn bounds() {
        fn check(root: Node, expected: Result<(), &str>) {
            let found = Tree { root, poll: None }.check().map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned));
        }
        let nested = |depth: usize| (1..depth).fold(text(), |inner, _| stack(vec![inner]));
        check(nested(32), Ok(()));
        check(nested(33), Err("the UI tree is nested more than 32 deep"));
        check(nested(5_000), Err("the UI tree is nested more than 32 deep"));
        check(stack(vec![text(); 4_999]), Ok(()));
        let too_many = "the UI tree has more than 5000 nodes; show less at once, or use a table with a cursor";
        check(stack(vec![text(); 5_000]), Err(too_many));
        check(stack(vec![text(); 1_000_000]), Err(too_many));
        check(table(20, vec![vec![text(); 20]; 500]), Ok(()));
        check(table(20, vec![vec![stack(vec![text()]); 20]; 500]), Err(too_many));
        check(
            table(1, vec![vec![text()]; 501]),
            Err("the table \"Keys\" has 501 rows; hand over 500 at most and `next` for the rest"),
        );
        check(table(51, vec![]), Err("the table \"Keys\" has 51 columns; 50 are allowed"));
        check(
            table(2, vec![vec![text(); 2], vec![text()]]),
            Err("row 2 of the table \"Keys\" has 1 cells for 2 columns"),
        );
        check(
            table(1, vec![vec![stack(vec![table(0, vec![])])]]),
            Err("a cell of a table holds the table \"Keys\"; put it beside the table, or on a page of its own"),
        );
        check(Node::Grid { columns: 5, children: vec![] }, Err("a grid has 5 columns; 1 to 4 are allowed"));
        check(Node::Grid { columns: 0, children: vec![] }, Err("a grid has 0 columns; 1 to 4 are allowed"));
    }

    #[test]
    fn unknown_nodes_and_fields() {
        let text = r#"{"root": {"type": "stack", "children": [
            {"type": "hologram", "depth": 3},
            {"type": "text", "text": "x", "font": "y"},
            {"type": "table", "caption": "Keys", "columns": ["a"], "rows": [[{"type": "bytes", "size": 1}]]}
        ]}}"#;
        let tree: Tree = serde_json::from_str(text).unwrap();
        assert_eq!(tree.check(), Ok(()));
        let Node::Stack { children, .. } = &tree.root else { panic!("{tree:?}") };
        assert_eq!(children[0], Node::Unknown);
    }

    #[test]
    fn unsafe_links() {
        let link = |href: &str| serde_json::json!({"root": {"type": "link", "text": "x", "href": href}});
        assert!(serde_json::from_value::<Tree>(link("https://example.com")).is_ok());
        for href in ["javascript:alert(1)", "JaVa\tscript:x", "data:x", "vbscript:x", "//evil", "\u{1}javascript:x"] {
            assert!(serde_json::from_value::<Tree>(link(href)).is_err(), "{href:?}");
        }
    }
}
