//! What goes to a processor in one call.

use callboard_model::processing::ProcessInput;

use crate::error::ErrorKind;
use crate::extension::entity_processor::answer::Problem;
use crate::limits::{BATCH_BYTES, PROCESSOR_BATCH_BYTES, PROCESSOR_BATCH_ITEMS};

/// One entity of a batch.
pub(super) struct Item {
    /// Among all that the caller wants processed.
    pub(super) index: usize,
    json: String,
}

impl Item {
    /// Refuses what would not fit into a batch of its own.
    pub(super) fn new(index: usize, input: &ProcessInput) -> Result<Item, Problem> {
        let json = serde_json::to_string(input).map_err(|error| (ErrorKind::Input, error.to_string()))?;
        if json.len() + BRACKETS > BATCH_BYTES {
            let message = format!(
                "the entity has {} bytes, but at most {BATCH_BYTES} cross at once; what is so large does not reach a \
                 plugin",
                json.len()
            );
            return Err((ErrorKind::Input, message));
        }
        Ok(Item { index, json })
    }
}

/// Of a list of one.
const BRACKETS: usize = 2;

/// As many items as may go in one call.
#[derive(Default)]
pub(super) struct Batch {
    items: Vec<Item>,
    /// Of the items' JSON text, each with a comma or bracket.
    bytes: usize,
}

impl Batch {
    pub(super) fn has_room_for(&self, item: &Item) -> bool {
        let fits = self.bytes + item.json.len() + BRACKETS <= PROCESSOR_BATCH_BYTES;
        self.items.is_empty() || (fits && self.items.len() < PROCESSOR_BATCH_ITEMS)
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes += item.json.len() + 1;
        self.items.push(item);
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }
}

/// The list of the items.
pub(super) fn json(items: &[Item]) -> String {
    let mut json = String::with_capacity(items.iter().map(|item| item.json.len() + 1).sum::<usize>() + BRACKETS);
    for item in items {
        json.push(if json.is_empty() { '[' } else { ',' });
        json.push_str(&item.json);
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use callboard_model::entity::Entity;
    use serde_json::{Value, json};

    use super::*;

    fn input(bytes: usize) -> ProcessInput {
        let entity = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": "x".repeat(bytes)});
        ProcessInput {
            entity: Entity::from_value(entity).unwrap(),
            location: "url:https://example.com/a.yaml".parse().unwrap(),
            origin_location: "url:https://example.com/a.yaml".parse().unwrap(),
        }
    }

    #[test]
    fn batches_are_bounded() {
        let check = |sizes: &[usize], expected: usize| {
            let inputs: Vec<_> = sizes.iter().map(|&size| input(size)).collect();
            let mut batch = Batch::default();
            for (index, input) in inputs.iter().enumerate() {
                let item = Item::new(index, input).unwrap();
                if !batch.has_room_for(&item) {
                    break;
                }
                batch.push(item);
            }
            assert_eq!(batch.items().len(), expected, "{sizes:?}");
            let text = json(batch.items());
            assert!(text.len() <= BATCH_BYTES, "{}", text.len());
            let read: Vec<Value> = serde_json::from_str(&text).unwrap();
            assert_eq!(read.len(), expected);
        };
        const OVERHEAD: usize = 300;
        check(&[1, 2, 3], 3);
        check(&[PROCESSOR_BATCH_BYTES / 2 - OVERHEAD, PROCESSOR_BATCH_BYTES / 2 - OVERHEAD, 1], 3);
        check(&[PROCESSOR_BATCH_BYTES / 2, PROCESSOR_BATCH_BYTES / 2], 1);
        check(&[PROCESSOR_BATCH_BYTES - OVERHEAD, OVERHEAD], 1);
        check(&[BATCH_BYTES - OVERHEAD, 1], 1);
        check(&vec![1; PROCESSOR_BATCH_ITEMS + 1], PROCESSOR_BATCH_ITEMS);
        let (kind, message) = Item::new(0, &input(BATCH_BYTES)).map(drop).unwrap_err();
        assert!(kind == ErrorKind::Input && message.contains("4194304"), "{message}");
    }
}
