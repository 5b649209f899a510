//! Which versions of a plugin there were, what each replica runs, and the buttons that change it.

use callboard_model::api::{PluginGeneration, PluginInfo, PluginReplica, PluginState};
use callboard_model::ui::Level;
use leptos::prelude::*;
use leptos::task;

use crate::api;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::ui::{
    Alert, Button, Card, Column, DataTable, Dialog, Glyph, Importance, Status, Time, Variant, table, use_toasts,
};

/// What may be done to a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Reload,
    RollBack,
    Enable,
    Disable,
}

impl Change {
    /// As the API calls it.
    fn path(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::RollBack => "rollback",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }

    fn label(self) -> Msg {
        match self {
            Self::Reload => Msg::PluginReload,
            Self::RollBack => Msg::PluginRollBack,
            Self::Enable => Msg::PluginEnable,
            Self::Disable => Msg::PluginDisable,
        }
    }

    fn glyph(self) -> Glyph {
        match self {
            Self::Reload => Glyph::Refresh,
            Self::RollBack => Glyph::ChevronLeft,
            Self::Enable => Glyph::Play,
            Self::Disable => Glyph::Close,
        }
    }

    /// What it means, where somebody should think about it first.
    fn question(self) -> Option<Msg> {
        match self {
            Self::RollBack => Some(Msg::PluginRollBackText),
            Self::Disable => Some(Msg::PluginDisableText),
            Self::Reload | Self::Enable => None,
        }
    }
}

/// Versions, replicas, buttons.
#[component]
pub(crate) fn Versions(
    /// The plugin.
    plugin: PluginInfo,
    /// Called once something was changed.
    #[prop(into)]
    on_change: Callback<()>,
) -> impl IntoView {
    let portal = use_portal();
    let may = Memo::new(move |_| portal.may("plugin.manage"));
    let changes = possible(&plugin);
    let id = StoredValue::new(plugin.id.clone());
    let buttons = move || {
        let changes = changes.clone();
        may.get().then(|| view! { <Buttons plugin=id.get_value() changes=changes on_change=on_change /> })
    };
    let notice = plugin.notice.clone().map(|notice| {
        view! { <div class="alerts"><Alert level=Level::Warning title=t(Msg::PluginNoticeTitle) text=notice /></div> }
    });
    let held = plugin.held.clone().map(|held| {
        let title = Msg::PluginHeldTitle.with(&[("version", &held.version)]);
        let text = Msg::PluginHeldText.with(&[("added", &held.added.join(", ")), ("id", &plugin.id)]);
        view! { <div class="alerts"><Alert level=Level::Warning title=title text=text /></div> }
    });
    let generations = Signal::stored(plugin.generations.clone());
    let replicas = Signal::stored(plugin.replicas.clone());
    let has_generations = !plugin.generations.is_empty();
    let has_replicas = !plugin.replicas.is_empty();
    view! {
        <Card title=t(Msg::PluginVersions) actions=buttons flush=true>
            {notice}
            {held}
            {has_generations
                .then(|| {
                    view! {
                        <div class="table-box">
                            <DataTable
                                caption=t(Msg::PluginVersions)
                                columns=Signal::stored(GENERATIONS.to_vec())
                                rows=generations
                                key=|generation| format!("{} {}", generation.number, generation.state)
                            />
                        </div>
                    }
                })}
            {(!has_generations).then(|| view! { <p class="muted card__text">{t(Msg::PluginNoVersions)}</p> })}
            {has_replicas
                .then(|| {
                    view! {
                        <div class="table-box">
                            <DataTable
                                caption=t(Msg::PluginReplicas)
                                show_caption=true
                                columns=Signal::stored(REPLICAS.to_vec())
                                rows=replicas
                                key=|replica| format!("{} {} {}", replica.replica, replica.generation, replica.state)
                            />
                        </div>
                    }
                })}
        </Card>
    }
}

/// What can be done to a plugin as it is.
fn possible(plugin: &PluginInfo) -> Vec<Change> {
    let mut changes = Vec::new();
    let is_off = plugin.state == PluginState::Disabled;
    if !is_off {
        changes.push(Change::Reload);
    }
    if !is_off && plugin.generations.iter().any(|generation| generation.state == "previous") {
        changes.push(Change::RollBack);
    }
    if !plugin.is_fixed {
        changes.push(if is_off { Change::Enable } else { Change::Disable });
    }
    changes
}

#[component]
fn Buttons(plugin: String, changes: Vec<Change>, on_change: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let (busy, asking) = (RwSignal::new(None::<Change>), RwSignal::new(false));
    let asked = RwSignal::new(None::<Change>);
    let id = StoredValue::new(plugin);
    let carry_out = move |change: Change| {
        busy.set(Some(change));
        task::spawn_local(async move {
            let answer = api::plugins::change(&id.get_value(), change.path()).await;
            if busy.try_set(None).is_some() {
                return;
            }
            match answer {
                Ok(done) => toasts.ok(done.message),
                Err(error) => toasts.failed(error.message.clone(), &error, None),
            }
            on_change.run(());
        });
    };
    let press = move |change: Change| {
        if change.question().is_some() {
            asked.set(Some(change));
            asking.set(true);
        } else {
            carry_out(change);
        }
    };
    let buttons = changes
        .into_iter()
        .map(|change| {
            let busy_here = Signal::derive(move || busy.get() == Some(change));
            let others = Signal::derive(move || busy.get().is_some_and(|other| other != change));
            view! {
                <Button
                    label=t(change.label())
                    icon=change.glyph()
                    busy=busy_here
                    disabled=others
                    on_press=move |_| press(change)
                />
            }
        })
        .collect_view();
    let title = Signal::derive(move || asked.get().map(|change| t(change.label()).to_owned()).unwrap_or_default());
    let question = move || Some(view! { <p>{t(asked.get()?.question()?)}</p> });
    let answers = move || {
        let change = asked.get()?;
        let yes = move |_| {
            asking.set(false);
            carry_out(change);
        };
        Some(view! {
            <Button label=t(Msg::Cancel) on_press=move |_| asking.set(false) />
            <Button label=t(change.label()) variant=Variant::Primary on_press=yes />
        })
    };
    view! {
        <div class="buttons">{buttons}</div>
        <Dialog title=title open=asking content=question foot=answers />
    }
}

const GENERATIONS: [Column<PluginGeneration>; 5] = [
    Column {
        key: "version",
        label: Msg::Version,
        sorts: false,
        importance: Importance::Always,
        cell: |generation| {
            view! {
                <span>{generation.version.clone()}</span>
                <span class="muted">{format!(" #{}", generation.number)}</span>
            }
            .into_any()
        },
    },
    Column {
        key: "state",
        label: Msg::State,
        sorts: false,
        importance: Importance::Always,
        cell: |generation| generation_state(&generation.state),
    },
    Column {
        key: "when",
        label: Msg::PluginDecidedAt,
        sorts: false,
        importance: Importance::Less,
        cell: |generation| view! { <Time at=generation.decided_at.clone() /> }.into_any(),
    },
    Column {
        key: "who",
        label: Msg::PluginDecidedBy,
        sorts: false,
        importance: Importance::Minor,
        cell: |generation| view! { <span class="mono">{generation.decided_by.clone()}</span> }.into_any(),
    },
    Column {
        key: "reason",
        label: Msg::PluginReason,
        sorts: false,
        importance: Importance::Text,
        cell: |generation| match &generation.reason {
            Some(reason) => view! { <span>{reason.clone()}</span> }.into_any(),
            None => table::none(),
        },
    },
];

const REPLICAS: [Column<PluginReplica>; 4] = [
    Column {
        key: "replica",
        label: Msg::PluginReplica,
        sorts: false,
        importance: Importance::Always,
        cell: |replica| view! { <span class="mono">{replica.replica.clone()}</span> }.into_any(),
    },
    Column {
        key: "generation",
        label: Msg::PluginGeneration,
        sorts: false,
        importance: Importance::Always,
        cell: |replica| view! { <span>{format!("#{}", replica.generation)}</span> }.into_any(),
    },
    Column {
        key: "state",
        label: Msg::State,
        sorts: false,
        importance: Importance::Always,
        cell: |replica| {
            let (level, text) = match replica.state.as_str() {
                "running" => (Level::Ok, Msg::PluginRunning),
                "disabled" => (Level::Neutral, Msg::PluginDisabled),
                "suspended" => (Level::Warning, Msg::PluginSuspended),
                _ => (Level::Error, Msg::PluginRefused),
            };
            view! { <Status level=level text=t(text) /> }.into_any()
        },
    },
    Column {
        key: "reason",
        label: Msg::PluginReason,
        sorts: false,
        importance: Importance::Text,
        cell: |replica| match &replica.reason {
            Some(reason) => view! { <span>{reason.clone()}</span> }.into_any(),
            None => table::none(),
        },
    },
];

/// What became of a version, in a word.
fn generation_state(state: &str) -> AnyView {
    let (level, text) = match state {
        "accepted" => (Level::Ok, Msg::GenerationAccepted),
        "previous" => (Level::Neutral, Msg::GenerationPrevious),
        "trial" => (Level::Running, Msg::GenerationTrial),
        "failed" => (Level::Error, Msg::GenerationFailed),
        "rolled-back" => (Level::Warning, Msg::GenerationRolledBack),
        _ => (Level::Neutral, Msg::GenerationPast),
    };
    view! { <Status level=level text=t(text) /> }.into_any()
}
