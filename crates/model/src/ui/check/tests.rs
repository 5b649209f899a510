use super::super::*;

fn text() -> Node {
    "".into()
}

fn stack(children: Vec<Node>) -> Node {
    Stack::new().children(children).into()
}

fn table(columns: usize, rows: Vec<Vec<Node>>) -> Node {
    Table::new("Keys", vec![""; columns]).rows(rows).into()
}

fn check(root: impl Into<Node>, expected: Result<(), &str>) {
    let found = Tree::of(root).check().map_err(|error| error.to_string());
    assert_eq!(found, expected.map_err(str::to_owned));
}

const TOO_MANY: &str = "the UI tree has more than 5000 nodes; show less at once, or use a table with a cursor";
const TOO_DEEP: &str = "the UI tree is nested more than 32 deep";

#[test]
fn bounds_of_the_whole() {
    let nested = |depth: usize| (1..depth).fold(text(), |inner, _| stack(vec![inner]));
    check(nested(32), Ok(()));
    check(nested(33), Err(TOO_DEEP));
    check(nested(5_000), Err(TOO_DEEP));
    check(stack(vec![text(); 4_999]), Ok(()));
    check(stack(vec![text(); 5_000]), Err(TOO_MANY));
    check(stack(vec![text(); 1_000_000]), Err(TOO_MANY));
    check(Tabs::new("x").tab(Tab::new("y").children(vec![text(); 5_000])), Err(TOO_MANY));
    check(Section::new("x").child(nested(32)), Err(TOO_DEEP));
    check(Drawer::new("x").child(nested(32)), Err(TOO_DEEP));
    check(List::new().item(ListItem::new("x").value(nested(32))), Err(TOO_DEEP));
    check(KeyValues::new().item("x", nested(32)), Err(TOO_DEEP));
}

#[test]
fn bounds_of_tables() {
    check(table(20, vec![vec![text(); 20]; 500]), Ok(()));
    check(table(20, vec![vec![stack(vec![text()]); 20]; 500]), Err(TOO_MANY));
    check(
        table(1, vec![vec![text()]; 501]),
        Err("the table \"Keys\" has 501 rows; hand over 500 at most and `next` for the rest"),
    );
    check(table(51, vec![]), Err("the table \"Keys\" has 51 columns; 50 are allowed"));
    check(table(2, vec![vec![text(); 2], vec![text()]]), Err("row 2 of the table \"Keys\" has 1 cells for 2 columns"));
    check(
        table(1, vec![vec![stack(vec![table(0, vec![])])]]),
        Err("a cell of a table holds the table \"Keys\"; put it beside the table, or on a page of its own"),
    );
    let named = |id: &str| Node::from(Table::new("Keys", ["a"]).id(id));
    check(stack(vec![named("a"), named("b"), named(""), named("")]), Ok(()));
    check(
        stack(vec![named("a"), named("a")]),
        Err("there are two tables with the id \"a\"; what a reader does to one would be done to both"),
    );
}

#[test]
fn bounds_of_layout_and_lists() {
    check(Grid::new(5), Err("a grid has 5 columns; 1 to 4 are allowed"));
    check(Grid::new(0), Err("a grid has 0 columns; 1 to 4 are allowed"));
    check(Tabs::new("x"), Err("the tabs \"x\" are 0; 1 to 20 are allowed"));
    check(Tabs { tabs: vec![Tab::new("y"); 21], ..Tabs::new("x") }, Err("the tabs \"x\" are 21; 1 to 20 are allowed"));
    let deep = |depth: usize| (1..depth).fold(TreeItem::new(""), |inner, _| TreeItem::new("").item(inner));
    check(TreeView::new("x").item(deep(31)), Ok(()));
    check(TreeView::new("x").item(deep(32)), Err(TOO_DEEP));
    check(TreeView { items: vec![TreeItem::new(""); 5_000], ..TreeView::new("x") }, Err(TOO_MANY));
    check(
        Form::new("go", serde_json::json!({ "type": "string" })),
        Err("the form for the action \"go\" cannot be shown: the schema must have the type `object`"),
    );
}

#[test]
fn bounds_of_figures() {
    check(Sparkline::new("x", vec![0.0; 1_001]), Err("the sparkline \"x\" has 1001 values; 1000 are allowed"));
    check(Stat::new("x", "1").trend(vec![0.0; 1_001]), Err("the stat \"x\" has 1001 values; 1000 are allowed"));
    let line =
        |series: usize| LineChart { series: vec![Series::new("s", [1.0]); series], ..LineChart::new("x", ["a"]) };
    check(line(8), Ok(()));
    check(line(9), Err("the line-chart \"x\" has 9 series; 8 are allowed"));
    check(
        BarChart::new("x", ["a", "b"]).series(Series::new("s", [1.0])),
        Err("the bar-chart \"x\" has 2 points, but \"s\" has 1 values"),
    );
    check(PieChart::new("x").slice("s", -1.0), Err("the pie-chart \"x\" has the slice \"s\" below 0"));
    let slices = (0..13).fold(PieChart::new("x"), |chart, _| chart.slice("s", 1.0));
    check(slices, Err("the pie-chart \"x\" has 13 slices; 12 are allowed"));
    check(
        Heatmap::new("x", ["a"]).row("r", []),
        Err("the heatmap \"x\" has 1 columns, but the row \"r\" has 0 values"),
    );
    let rows = (0..5_001).fold(Heatmap::new("x", [""; 0]), |map, _| map.row("r", []));
    check(rows, Err("the heatmap \"x\" has 5001 cells; 5000 are allowed"));
    let graph = || Graph::new("x").node(GraphNode::new("a", "A"));
    check(graph().edge("a", "a"), Ok(()));
    check(graph().edge("a", "b"), Err("the graph \"x\" has an edge to \"b\", which is none of its nodes"));
    check(graph().node(GraphNode::new("a", "B")), Err("the graph \"x\" has two nodes with the id \"a\""));
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
    let Node::Stack(stack) = &tree.root else { panic!("{tree:?}") };
    assert_eq!(stack.children[0], Node::Unknown);
    assert_eq!(stack.children[2], Table::new("Keys", ["a"]).row(vec![Bytes::new(1).into()]).into());
}

#[test]
fn unsafe_links() {
    let link = |href: &str| serde_json::json!({"root": {"type": "link", "text": "x", "href": href}});
    assert!(serde_json::from_value::<Tree>(link("https://example.com")).is_ok());
    for href in ["javascript:alert(1)", "JaVa\tscript:x", "data:x", "vbscript:x", "//evil", "\u{1}javascript:x"] {
        assert!(serde_json::from_value::<Tree>(link(href)).is_err(), "{href:?}");
    }
}
