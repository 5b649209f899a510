//! Telling others that something happened: LISTEN and NOTIFY, and the same inside one process.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::Error;
use crate::limits::{NOTIFICATION_BYTES, NOTIFICATIONS};

/// Something that a receiver hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// What somebody told with [`Tx::notify`](crate::Tx::notify).
    Payload(String),
    /// Something may have been told that was not heard: the receiver has just begun to listen, the connection was
    /// lost and is back, or the receiver was too slow. Look at the tables.
    Missed,
}

/// What one receiver hears of one channel.
///
/// The first thing is always [`Notification::Missed`], once it is certain that everything after it is heard. So a
/// receiver looks for work each time it hears anything, and never has to look before it listens.
pub struct Notifications {
    heard: broadcast::Receiver<Notification>,
    /// Begun to listen after the channel was already being listened to.
    first: bool,
}

impl Notifications {
    /// Waits for the next one; none once the database is closed.
    pub async fn next(&mut self) -> Option<Notification> {
        if std::mem::take(&mut self.first) {
            return Some(Notification::Missed);
        }
        match self.heard.recv().await {
            Ok(notification) => Some(notification),
            Err(RecvError::Lagged(_)) => Some(Notification::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Who listens to what in this process.
#[derive(Default)]
pub(crate) struct Hub {
    channels: Mutex<HashMap<&'static str, Channel>>,
    closed: AtomicBool,
}

struct Channel {
    sender: broadcast::Sender<Notification>,
    /// Whether everything that is told is heard from now on.
    certain: bool,
}

impl Hub {
    /// A receiver. `certain` says that a channel which nobody listened to before is heard at once.
    pub(crate) fn subscribe(&self, name: &'static str, certain: bool) -> Notifications {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = channels.entry(name).or_insert_with(|| {
            let (sender, _) = broadcast::channel(NOTIFICATIONS);
            Channel { sender, certain }
        });
        Notifications { heard: channel.sender.subscribe(), first: channel.certain }
    }

    /// The channels that somebody listens to.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Tells the receivers of a channel.
    pub(crate) fn tell(&self, name: &str, notification: Notification) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(name) {
            // Nobody listening is no failure.
            channel.sender.send(notification).ok();
        }
    }

    /// From now on everything on these channels is heard; before, something may not have been.
    pub(crate) fn certain(&self, names: &[&'static str]) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if let Some(channel) = channels.get_mut(name) {
                channel.certain = true;
                channel.sender.send(Notification::Missed).ok();
            }
        }
    }

    /// The connection is lost: a receiver that comes now hears nothing until it is back.
    pub(crate) fn uncertain(&self) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.values_mut().for_each(|channel| channel.certain = false);
    }

    /// Whether [`Hub::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ends every receiver.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What a transaction tells when it is kept. The same thing told twice is heard once, as PostgreSQL has it.
#[derive(Default)]
pub(crate) struct Told {
    order: Vec<(&'static str, String)>,
    known: HashSet<(&'static str, String)>,
}

impl Told {
    pub(crate) fn add(&mut self, channel: &'static str, payload: &str) {
        if self.known.insert((channel, payload.to_owned())) {
            self.order.push((channel, payload.to_owned()));
        }
    }

    pub(crate) fn deliver(self, hub: &Hub) {
        for (channel, payload) in self.order {
            hub.tell(channel, Notification::Payload(payload));
        }
    }
}

/// What PostgreSQL would not take is refused on both engines.
pub(crate) fn check(payload: &str) -> Result<(), Error> {
    if payload.contains('\0') {
        return Err(Error::Nul);
    }
    if payload.len() > NOTIFICATION_BYTES {
        let text = format!("a notification has {} bytes, and may have {NOTIFICATION_BYTES}", payload.len());
        return Err(Error::Statement(text));
    }
    Ok(())
}
