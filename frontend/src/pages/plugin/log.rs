//! What a plugin wrote last, and where it failed.

use callboard_model::api::{LogLevel, PluginFault, PluginLog, PluginLogLine};
use callboard_model::ui::Level;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::messages::{Msg, t};
use crate::ui::{Alert, Card, Code, EmptyState, Glyph, Time};

/// The last fault with its backtrace, and the last lines; why there are none, where somebody may not read them.
#[component]
pub(crate) fn Log(log: RwSignal<Option<PluginLog>>, error: RwSignal<Option<ApiError>>) -> impl IntoView {
    let fault = Memo::new(move |_| log.with(|log| log.as_ref().and_then(|log| log.last_fault.clone())));
    let lines = Memo::new(move |_| log.with(|log| log.as_ref().map(text)));
    let refused = Memo::new(move |_| error.get().filter(|error| error.permission.is_some()));
    let body = move || match (lines.get(), refused.get()) {
        (_, Some(error)) => view! {
            <EmptyState title=t(Msg::LogNotYours) text=error.message.clone() glyph=Glyph::Shield>
                {error.why(None).map(|href| view! { <a class="button" href=href>{t(Msg::WhyNot)}</a> })}
            </EmptyState>
        }
        .into_any(),
        (Some(text), None) if !text.is_empty() => {
            view! { <Code label=t(Msg::LogLabel) text=text log=true /> }.into_any()
        }
        _ => view! { <p class="muted">{t(Msg::NoLog)}</p> }.into_any(),
    };
    view! {
        {move || fault.get().map(|fault| view! { <Card title=t(Msg::LastFault)>{faulty(fault)}</Card> })}
        <Card title=t(Msg::Log)>{body}</Card>
    }
}

fn faulty(fault: PluginFault) -> impl IntoView {
    let title = format!("{} · {}.{}", fault.class, fault.extension_point, fault.function);
    let facts = [
        (Msg::When, view! { <Time at=fault.at /> }.into_any()),
        (Msg::Version, fault.version.into_any()),
        (Msg::CallId, view! { <code>{fault.request}</code> }.into_any()),
    ]
    .map(|(label, value)| view! { <dt>{t(label)}</dt><dd>{value}</dd> });
    let frames = fault.backtrace.iter().enumerate().map(|(index, frame)| match frame.offset {
        Some(offset) => format!("{index:>2}  {offset:#08x}  {}", frame.function),
        None => format!("{index:>2}            {}", frame.function),
    });
    let frames = frames.collect::<Vec<_>>().join("\n");
    let backtrace = match frames.is_empty() {
        true => view! { <p class="muted">{t(Msg::NoBacktrace)}</p> }.into_any(),
        false => view! { <Code label=t(Msg::Backtrace) text=frames log=true /> }.into_any(),
    };
    view! {
        <div class="stack">
            <Alert level=Level::Error title=title text=fault.message />
            <dl class="key-values">{facts}</dl>
            {backtrace}
        </div>
    }
}

/// The newest line first, as it was written: time, level, call and text.
fn text(log: &PluginLog) -> String {
    let older = (log.dropped > 0).then(|| Msg::CountOlderLines.count(log.dropped));
    log.lines.iter().map(line).chain(older).collect::<Vec<_>>().join("\n")
}

fn line(line: &PluginLogLine) -> String {
    let level = match line.level {
        LogLevel::Debug => "DEBUG",
        LogLevel::Info => "INFO ",
        LogLevel::Warn => "WARN ",
        LogLevel::Error => "ERROR",
    };
    format!("{} {level} {} {}.{}: {}", line.at, line.request, line.extension_point, line.function, line.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_as_they_were_written() {
        let written = |level, text: &str| PluginLogLine {
            at: "2026-01-02T03:04:05.678Z".to_owned(),
            level,
            request: "0123456789abcdef".to_owned(),
            extension_point: "ui".to_owned(),
            function: "render".to_owned(),
            version: "1.0.0".to_owned(),
            text: text.to_owned(),
        };
        let lines = vec![written(LogLevel::Warn, "slow"), written(LogLevel::Info, "asked")];
        let log = PluginLog { lines, dropped: 1, ..PluginLog::default() };
        let expected = "2026-01-02T03:04:05.678Z WARN  0123456789abcdef ui.render: slow\n\
                        2026-01-02T03:04:05.678Z INFO  0123456789abcdef ui.render: asked\n1 older line";
        assert_eq!(text(&log), expected);
        assert_eq!(text(&PluginLog::default()), "");
    }
}
