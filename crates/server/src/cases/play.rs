//! Asks a plugin what a case says, one thing after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_host::limits::ACTION_DEADLINE_MOST;
use callboard_host::{ActionRun, Again, ErrorKind, Mode, PluginError, RouteRequest, Workspace};
use callboard_model::entity::Entity;
use callboard_model::events::Event;
use callboard_model::filter::SearchRows;
use callboard_model::location_ref::LocationRef;
use callboard_model::processing::ProcessInput;
use callboard_model::route::RouteMethod;
use callboard_model::ui::Input;
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::file::{ActionCall, Call, EventsCall, File, ProcessorCall, ProviderCall, RouteCall, UiCall};
use super::stage::{Stage, failed, files};
use super::{CaseError, golden};

/// Pages of one run. A provider that has more is not tested by its pages.
const PAGES: usize = 1_000;

/// What came of the calls of a case.
pub(crate) struct Played {
    /// What the plugin answered to each, and what it changed.
    pub(crate) answered: Value,
    /// How long each call of the plugin took. Of a provider, each page is one.
    pub(crate) took: Vec<Duration>,
}

/// Why there is no answer.
enum Stopped {
    Plugin(PluginError),
    /// What the case says makes no sense to this plugin.
    Case(String),
}

impl From<PluginError> for Stopped {
    fn from(error: PluginError) -> Self {
        Stopped::Plugin(error)
    }
}

impl From<String> for Stopped {
    fn from(message: String) -> Self {
        Stopped::Case(message)
    }
}

impl Stage {
    /// Makes the calls of a case.
    pub(crate) async fn play(&self, file: &File) -> Result<Played, CaseError> {
        let mut run = Run { stage: self, took: Vec::new() };
        let mut answers = Vec::with_capacity(file.calls.len());
        for (index, call) in file.calls.iter().enumerate() {
            let fail = |message: String| CaseError::Call { place: format!("calls[{index}]"), message };
            answers.push(match run.call(call).await {
                Ok(answer) => answer,
                Err(Stopped::Plugin(error)) => said(error).map_err(|error| fail(error.to_string()))?,
                Err(Stopped::Case(message)) => return Err(fail(message)),
            });
        }
        let took = run.took;
        let mut answered = Map::from_iter([("calls".to_owned(), Value::from(answers))]);
        let changed = self.changed_keys(file).await?;
        if !changed.is_empty() {
            answered.insert("kv".to_owned(), changed.into());
        }
        if file.calls.iter().any(|call| matches!(call, Call::ScaffolderActions(_))) {
            let files = files(self.workspace()).map_err(failed("the workspace"))?;
            answered.insert("workspace".to_owned(), files.into());
        }
        Ok(Played { answered: answered.into(), took })
    }

    /// What the plugin keeps and is another than at the beginning; null where it is gone.
    async fn changed_keys(&self, file: &File) -> Result<Map<String, Value>, CaseError> {
        let mut changed: Map<String, Value> = file.kv.keys().map(|key| (key.clone(), Value::Null)).collect();
        for key in self.keys().await? {
            let value = self.kv.get(&key).await.map_err(failed("what the plugin keeps"))?.unwrap_or_default();
            match file.kv.get(&key) {
                Some(before) if before.as_bytes() == value => _ = changed.remove(&key),
                _ => _ = changed.insert(key, golden::content(&value)),
            }
        }
        Ok(changed)
    }
}

struct Run<'a> {
    stage: &'a Stage,
    took: Vec<Duration>,
}

impl Run<'_> {
    async fn call(&mut self, call: &Call) -> Result<Value, Stopped> {
        match call {
            Call::Ui(call) => self.ui(call).await,
            Call::EntityProvider(call) => self.provider(call).await,
            Call::EntityProcessor(call) => self.processor(call).await,
            Call::ScaffolderActions(call) => self.action(call).await,
            Call::Routes(call) => self.route(call).await,
            Call::EventSubscriber(call) => self.events(call).await,
        }
    }

    /// Waits for a call of the plugin, and keeps how long it took.
    async fn timed<T>(&mut self, call: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let answer = call.await;
        self.took.push(begun.elapsed());
        answer
    }

    async fn ui(&mut self, call: &UiCall) -> Result<Value, Stopped> {
        let Stage { plugin, user, .. } = self.stage;
        let contributed = plugin.manifest().contributes.ui.iter().find(|each| each.id == call.extension);
        let entity = match &call.entity {
            Some(entity_ref) => Some(self.stage.entity(entity_ref).await?),
            None => None,
        };
        if let (Some(contributed), Some(entity)) = (contributed, &entity)
            && let Some(filter) = &contributed.filter
            && !filter.matches(&SearchRows::of(entity).map_err(|error| error.to_string())?)
        {
            return Err(Stopped::Case(format!(
                "the extension {} is not for this entity: see its filter",
                call.extension
            )));
        }
        let (cursor, value, tables) = (call.cursor.clone(), call.value.clone(), call.tables.clone());
        let input = Input { entity, cursor, value, tables };
        match &call.act {
            Some(action) => told(&self.timed(plugin.act(user, &call.extension, action, &input)).await?),
            None => told(&self.timed(plugin.render(user, &call.extension, &input)).await?),
        }
    }

    async fn provider(&mut self, call: &ProviderCall) -> Result<Value, Stopped> {
        let Stage { plugin, scheduled, .. } = self.stage;
        let providers = self.timed(plugin.providers(scheduled)).await?;
        let Some(provider) = providers.iter().find(|provider| provider.name == call.provider) else {
            let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
            return Err(Stopped::Case(format!("it has no provider {}, but: {}", call.provider, names.join(", "))));
        };
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.timed(plugin.read(scheduled, &call.provider, cursor.take())).await?;
            let mode = match page.mode {
                Mode::Full => "full",
                Mode::Delta => "delta",
            };
            let ends = page.next.is_none() || page.again == Again::Now;
            let again = if page.again == Again::Now { "now" } else { "scheduled" };
            pages.push(json!({ "items": page.items, "next": page.next, "mode": mode, "again": again }));
            if ends {
                return Ok(json!({ "schedule": provider.schedule, "pages": pages }));
            }
            if pages.len() >= PAGES {
                return Err(Stopped::Case(format!("{} has more than {PAGES} pages", call.provider)));
            }
            cursor = page.next;
        }
    }

    async fn processor(&mut self, call: &ProcessorCall) -> Result<Value, Stopped> {
        let Stage { plugin, scheduled, .. } = self.stage;
        let location: LocationRef = call.location.parse().map_err(|error| format!("{}: {error}", call.location))?;
        let inputs = call.entities.iter().enumerate().map(|(index, entity)| {
            let entity = Entity::from_value(entity.clone()).map_err(|error| format!("entities[{index}]: {error}"))?;
            Ok(ProcessInput { entity, location: location.clone(), origin_location: location.clone() })
        });
        let inputs = inputs.collect::<Result<Arc<[_]>, String>>()?;
        let results = self.timed(plugin.process(scheduled, &call.processor, call.hook, inputs)).await;
        let results = results.into_iter().map(|result| match result {
            Ok(output) => told(&output),
            Err(error) => Ok(said(error)?),
        });
        Ok(Value::from(results.collect::<Result<Vec<_>, Stopped>>()?))
    }

    async fn action(&mut self, call: &ActionCall) -> Result<Value, Stopped> {
        let Stage { plugin, user, .. } = self.stage;
        let workspace = Workspace::open(self.stage.workspace()).map_err(|error| format!("the workspace: {error}"))?;
        let run = ActionRun {
            task_id: "task".to_owned(),
            step_id: "step".to_owned(),
            attempt: call.attempt,
            is_dry_run: call.dry_run,
            secrets: self.stage.task_secrets.clone(),
            workspace: Arc::new(workspace),
            log: self.stage.task_log.clone(),
            deadline: ACTION_DEADLINE_MOST,
        };
        let output = self.timed(plugin.run_action(user, &call.action, &call.input, run)).await?;
        Ok(json!({ "output": output }))
    }

    async fn route(&mut self, call: &RouteCall) -> Result<Value, Stopped> {
        let Stage { plugin, user, .. } = self.stage;
        let answer = self.timed(plugin.handle(user, request(call)?)).await?;
        let body = answer.body.map(|body| serde_json::from_str::<Value>(&body)).transpose();
        let body = body.map_err(|error| error.to_string())?;
        let headers: BTreeMap<String, String> = answer.headers.into_iter().collect();
        Ok(json!({ "status": answer.status, "headers": headers, "body": body }))
    }

    async fn events(&mut self, call: &EventsCall) -> Result<Value, Stopped> {
        let Stage { plugin, scheduled, now, .. } = self.stage;
        let events = call.events.iter().enumerate().map(|(index, event)| Event {
            delivery_id: event.delivery_id.clone().unwrap_or_else(|| format!("delivery-{}", index + 1)),
            topic: event.topic.clone(),
            attempt: event.attempt,
            time: now.to_rfc3339_opts(SecondsFormat::Millis, true),
            headers: event.headers.clone(),
            payload: event.payload.clone(),
        });
        let events: Vec<Event> = events.collect();
        told(&self.timed(plugin.on_events(scheduled, &events)).await?)
    }
}

/// What a plugin says is wrong is an answer as any other; a fault is none.
fn said(error: PluginError) -> Result<Value, PluginError> {
    match &error.kind {
        ErrorKind::Guest(_) => Ok(json!({ "error": { "class": error.kind.class(), "message": error.message } })),
        _ => Err(error),
    }
}

fn told(answer: &impl Serialize) -> Result<Value, Stopped> {
    serde_json::to_value(answer).map_err(|error| Stopped::Case(error.to_string()))
}

/// As the portal takes a request apart.
fn request(call: &RouteCall) -> Result<RouteRequest, String> {
    let wrong = || format!("`{}` is no request; write METHOD /path?query, such as GET /notes/7", call.request);
    let (method, target) = call.request.split_once(' ').ok_or_else(wrong)?;
    let method: RouteMethod = serde_json::from_value(Value::from(method)).map_err(|_| wrong())?;
    let (path, query) = target.trim().split_once('?').unwrap_or((target.trim(), ""));
    let path = path.strip_prefix('/').ok_or_else(wrong)?;
    let decode = |segment: &str| {
        percent_encoding::percent_decode_str(segment).decode_utf8().map(|text| text.into_owned()).map_err(|_| wrong())
    };
    let segments = path.split('/').filter(|_| !path.is_empty());
    Ok(RouteRequest {
        method,
        path: segments.map(decode).collect::<Result<_, _>>()?,
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: call.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
        body: call.body.as_ref().map(Value::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let check = |text: &str, expected: Result<(&str, &[&str], usize), ()>| {
            let call = RouteCall { request: text.to_owned(), headers: BTreeMap::new(), body: None };
            let found = request(&call).map_err(|_| ());
            let found = found.as_ref().map(|found| (found.method.name(), found.path.clone(), found.query.len()));
            let expected = expected.map(|(method, path, query)| {
                (method, path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>(), query)
            });
            assert_eq!(found.map_err(|_| ()), expected, "{text}");
        };
        check("GET /", Ok(("GET", &[], 0)));
        check("PUT /notes/a%2Fb?x=1&y", Ok(("PUT", &["notes", "a/b"], 2)));
        check("get /", Err(()));
        check("GET notes", Err(()));
        check("/notes", Err(()));
    }
}
