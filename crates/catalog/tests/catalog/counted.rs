//! What the tests that count count with.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use callboard_catalog::{EntityProcessor, ProcessorError};
use callboard_model::filter::Predicate;
use callboard_model::processing::{Hook, ProcessInput, ProcessOutput};
use serde_json::Value;

use crate::support::Fixture;

#[path = "../../../../tests/src/written.rs"]
#[allow(unreachable_pub, reason = "it is shared with the portal's tests")]
mod written;

pub(crate) use written::{Counts, Written};

/// A processor that changes nothing, and notes for which entities it is called.
pub(crate) struct Noting {
    name: String,
    filter: Option<Predicate>,
    digest: String,
    asked: Mutex<Vec<String>>,
}

impl Noting {
    pub(crate) fn new(name: &str, digest: &str, filter: Option<Value>) -> Arc<Noting> {
        Arc::new(Noting {
            name: name.to_owned(),
            filter: filter.map(|filter| Predicate::from_value(&filter).unwrap()),
            digest: digest.to_owned(),
            asked: Mutex::default(),
        })
    }

    /// The names that it was called for since the last call, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut names = std::mem::take(&mut *self.asked.lock().unwrap());
        names.sort();
        names
    }
}

#[async_trait]
impl EntityProcessor for Noting {
    fn name(&self) -> &str {
        &self.name
    }

    fn after(&self) -> &[String] {
        &[]
    }

    fn hooks(&self) -> &[Hook] {
        &[Hook::PreProcess]
    }

    fn filter(&self) -> Option<&Predicate> {
        self.filter.as_ref()
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    async fn process(&self, _: Hook, inputs: Arc<[ProcessInput]>) -> Vec<Result<ProcessOutput, ProcessorError>> {
        self.asked.lock().unwrap().extend(inputs.iter().map(|input| input.entity.name().to_owned()));
        inputs.iter().map(|_| Ok(ProcessOutput::default())).collect()
    }
}

pub(crate) async fn set(fixture: &Fixture, processors: &[&Arc<Noting>]) {
    let processors = processors.iter().map(|one| Arc::clone(*one) as Arc<dyn EntityProcessor>).collect();
    fixture.catalog.set_processors(processors).await.unwrap();
    fixture.settles().await;
}
