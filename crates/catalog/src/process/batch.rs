//! Entities that are due at the same time cross to a plugin together: a call costs an instance, whatever is in it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use callboard_model::processing::{Hook, ProcessInput, ProcessOutput};
use tokio::sync::{Semaphore, oneshot};

use crate::limits::{BATCH_ENTITIES, BATCH_PAUSE, PROCESSOR_CALLS};
use crate::{EntityProcessor, ProcessorError};

type Answer = Result<ProcessOutput, ProcessorError>;

/// Collects what a processor is asked for in one of its hooks, and asks for as much as there is at once.
pub(super) struct Batcher {
    processor: Arc<dyn EntityProcessor>,
    hook: Hook,
    waiting: Mutex<Vec<(ProcessInput, oneshot::Sender<Answer>)>>,
    turns: Semaphore,
}

impl Batcher {
    pub(super) fn new(processor: Arc<dyn EntityProcessor>, hook: Hook) -> Arc<Batcher> {
        let turns = Semaphore::new(PROCESSOR_CALLS);
        Arc::new(Batcher { processor, hook, waiting: Mutex::default(), turns })
    }

    /// The result for one entity.
    pub(super) async fn process(self: &Arc<Self>, input: ProcessInput) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push((input, sender));
            waiting.len() == 1
        };
        if is_first {
            tokio::spawn(Arc::clone(self).call());
        }
        receiver.await.unwrap_or_else(|_| {
            let message = format!("{}: the program failed while it asked the processor", self.processor.name());
            Err(ProcessorError { message, retry: true })
        })
    }

    /// Waits for a turn, and for those that come at the same time; then asks for all of them.
    fn call(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // Boxed, because it begins itself again.
        Box::pin(self.call_once())
    }

    async fn call_once(self: Arc<Self>) {
        let turn = self.turns.acquire().await;
        tokio::time::sleep(BATCH_PAUSE).await;
        let batch = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let count = waiting.len().min(BATCH_ENTITIES);
            let rest = waiting.split_off(count);
            if !rest.is_empty() {
                tokio::spawn(Arc::clone(&self).call());
            }
            std::mem::replace(&mut *waiting, rest)
        };
        // Who does not wait any more was abandoned.
        let (inputs, senders): (Vec<_>, Vec<_>) = batch.into_iter().filter(|(_, sender)| !sender.is_closed()).unzip();
        if inputs.is_empty() {
            return;
        }
        let results = self.processor.process(self.hook, inputs.into()).await;
        drop(turn);
        for (sender, result) in senders.into_iter().zip(results) {
            // Whoever is gone by now needs no answer.
            let _ = sender.send(result);
        }
    }
}
