//! LISTEN, on a connection of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::watch;

use super::connect::Server;
use crate::limits::{CONNECT, LISTEN_BACKOFF, LISTEN_CHECK};
use crate::notify::{Hub, Notification};

/// The first pause before another attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The name of a channel: those of a database are shared by all its schemas.
pub(super) fn name(schema: &str, channel: &str) -> String {
    format!("callboard:{schema}:{channel}")
}

/// Listens until the database is dropped or closed. After each loss of the connection the receivers are told that they
/// may have missed something.
pub(super) async fn listen(server: Server, hub: Arc<Hub>, schema: Arc<str>, mut wanted: watch::Receiver<()>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match session(&server, &hub, &schema, &mut wanted, &mut pause).await {
            Ok(End::Closed) => return,
            Ok(End::Lost(reason)) => tracing::warn!(reason, "listening to PostgreSQL was interrupted; trying again"),
            Err(error) => tracing::debug!(%error, "PostgreSQL cannot be listened to; trying again"),
        }
        hub.uncertain();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = closed(&mut wanted, &hub) => return,
        }
        pause = (pause * 2).min(LISTEN_BACKOFF);
    }
}

enum End {
    Closed,
    Lost(String),
}

async fn session(
    server: &Server,
    hub: &Hub,
    schema: &str,
    wanted: &mut watch::Receiver<()>,
    pause: &mut Duration,
) -> Result<End, sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT).connect_lazy_with(server.options());
    let mut listener = PgListener::connect_with(&pool).await?;
    // A lost connection must be told, not mended in silence.
    listener.eager_reconnect(false);
    let mut heard: BTreeSet<&'static str> = BTreeSet::new();
    let mut check = tokio::time::interval(LISTEN_CHECK);
    check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let prefix = name(schema, "");
    loop {
        wanted.mark_unchanged();
        let new: Vec<&'static str> = hub.names().into_iter().filter(|name| heard.insert(name)).collect();
        if !new.is_empty() {
            let names: Vec<String> = new.iter().map(|channel| name(schema, channel)).collect();
            listener.listen_all(names.iter().map(String::as_str)).await?;
            hub.certain(&new);
            *pause = FIRST_PAUSE;
        }
        tokio::select! {
            changed = wanted.changed() => {
                if changed.is_err() || hub.is_closed() {
                    return Ok(End::Closed);
                }
            }
            notification = listener.try_recv() => match notification {
                Ok(Some(notification)) => {
                    if let Some(channel) = notification.channel().strip_prefix(&prefix) {
                        hub.tell(channel, Notification::Payload(notification.payload().to_owned()));
                    }
                }
                Ok(None) => return Ok(End::Lost("the connection was lost".to_owned())),
                Err(error) => return Ok(End::Lost(error.to_string())),
            },
            _ = check.tick() => {
                // What comes in meanwhile is kept, and heard next.
                match tokio::time::timeout(CONNECT, listener.execute("SELECT 1")).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Ok(End::Lost(error.to_string())),
                    Err(_) => return Ok(End::Lost("the server does not answer".to_owned())),
                }
            }
        }
    }
}

async fn closed(wanted: &mut watch::Receiver<()>, hub: &Hub) {
    while !hub.is_closed() {
        if wanted.changed().await.is_err() {
            return;
        }
    }
}
