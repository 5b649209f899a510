//! Does what a plugin's pages do: a table that it sorts, filters and turns pages of, a form, actions that ask first, a
//! page that polls, and slots that fail or take their time when they are told to.

use callboard_sdk::ui::{
    Button, Column, Form, Input, Level, Menu, Outcome, Row, Sort, Stack, Stat, Status, Table, TableState, Tree,
};
use callboard_sdk::{Context, Error, Ui, kv};
use serde_json::json;

struct Kit;

impl Ui for Kit {
    fn render(_: &Context, extension: &str, input: &Input) -> Result<Tree, Error> {
        if extension != "kit" && kv::get("broken")?.is_some() {
            return Err(Error::Unavailable("the upstream is told not to answer".to_owned()));
        }
        match extension {
            "kit" => kit(&input.table("objects")),
            "ticks" => {
                let count = number("ticks")? + 1;
                kv::set("ticks", count.to_string().as_bytes())?;
                Ok(Tree::of(Stat::new("Rendered", format!("{count} times"))).poll_after(1_000))
            }
            "slow" => {
                std::thread::sleep(std::time::Duration::from_secs(3));
                Ok(Tree::of("At last."))
            }
            _ => Ok(Tree::of(format!("The slot {extension} is well."))),
        }
    }

    fn act(_: &Context, _: &str, action: &str, input: &Input) -> Result<Outcome, Error> {
        let value = input.value.clone().unwrap_or_default();
        match action {
            "break" => kv::set("broken", b"1")?,
            "mend" => kv::delete("broken")?,
            "delete" => kv::set(&format!("deleted/{}", value.as_str().unwrap_or_default()), b"1")?,
            "create" if value.get("name").is_some_and(|name| name == "taken") => {
                return Ok(Outcome::new("Nothing was made.").error("/name", "There is a service of this name."));
            }
            "create" => return Ok(Outcome::new(format!("Made {value}."))),
            _ => return Err(Error::NotFound(format!("there is no action `{action}`"))),
        }
        Ok(Outcome::new(format!("Done: {action}.")).refresh())
    }
}

fn number(key: &str) -> Result<u64, Error> {
    let kept = kv::get(key)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&kept).parse().unwrap_or_default())
}

fn kit(state: &TableState) -> Result<Tree, Error> {
    let schema = json!({
        "type": "object",
        "required": ["name", "replicas"],
        "ui:order": ["name", "tier", "replicas", "notes", "public"],
        "properties": {
            "name": { "type": "string", "title": "Name", "minLength": 2 },
            "tier": { "title": "Tier", "enum": ["gold", "silver"] },
            "replicas": { "type": "integer", "title": "Replicas", "minimum": 1, "maximum": 20 },
            "notes": { "type": "string", "title": "Notes", "ui:widget": "textarea" },
            "public": { "type": "boolean", "title": "Reachable from outside" },
        },
    });
    let page = Stack::new()
        .child(Status::new(Level::Ok, "The kit is well."))
        .child(
            Stack::row()
                .child(Button::new("Break the others", "break").confirm("All other slots of this plugin fail then."))
                .child(Menu::new("More").item(Button::new("Mend the others", "mend"))),
        )
        .child(objects(state)?)
        .child(Form::new("create", schema).submit("Create"));
    Ok(Tree::of(page))
}

/// 25 rows, ten on a page.
fn objects(state: &TableState) -> Result<Table, Error> {
    const ROWS: usize = 10;
    let deleted = kv::keys("deleted/", None)?;
    let mut rows: Vec<(String, usize)> = (1..=25).map(|n| (format!("object-{n:02}"), n * 7 % 25)).collect();
    rows.retain(|(name, _)| !deleted.contains(&format!("deleted/{name}")));
    if let Some(filter) = &state.filter {
        rows.retain(|(name, _)| name.contains(filter.as_str()));
    }
    let sort = state.sort.clone().unwrap_or_else(|| Sort::new("name"));
    match sort.by.as_str() {
        "size" => rows.sort_by_key(|(_, size)| *size),
        _ => rows.sort(),
    }
    if sort.descending {
        rows.reverse();
    }
    let total = rows.len();
    let begin: usize = state.cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
    let columns = [Column::new("Name").sort("name"), Column::new("Size").sort("size").end()];
    let mut table = Table::new("The objects of the kit", columns)
        .id("objects")
        .filter("Part of a name")
        .sort(sort)
        .total(total as u64)
        .empty("No object is called so.");
    for (name, size) in rows.into_iter().skip(begin).take(ROWS) {
        let delete = Button::new("Delete", "delete")
            .value(name.clone())
            .confirm(format!("Delete {name} for good?"))
            .destructive();
        table = table.row(Row::new().cell(name).cell(size.to_string()).action(delete));
    }
    if begin + ROWS < total {
        table = table.next((begin + ROWS).to_string());
    }
    Ok(table)
}

callboard_sdk::export!(manifest: "examples/ui_kit.yaml", ui: Kit);
