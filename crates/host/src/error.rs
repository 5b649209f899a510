//! What goes wrong, told to the person who can change it.

use std::path::PathBuf;
use std::time::Duration;

/// The host itself cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine refuses its configuration.
    #[error("the WebAssembly engine does not start on this machine: {0}")]
    Engine(String),
    /// The folder for compiled plugins is not usable.
    #[error("the folder for compiled plugins, {path}, is not usable: {message}")]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why, and what to do.
        message: String,
    },
    /// A limit that the host cannot keep.
    #[error("host.limits in app-config: {0}")]
    Limits(#[from] crate::limits::LimitsError),
}

/// A file is not a plugin of Callboard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Larger than a component may be.
    #[error(
        "the file has {size} bytes; a plugin has at most {limit}. Build it with the profile `plugin`, or raise `componentBytes` in plugins.<id>.limits"
    )]
    TooLarge {
        /// Of the file.
        size: usize,
        /// As configured.
        limit: usize,
    },
    /// Not WebAssembly, or a core module.
    #[error("{0}")]
    NotAComponent(String),
    /// No section with a manifest.
    #[error(
        "the component carries no manifest. `callboard_sdk::export!` embeds plugin.yaml; a component of another \
         toolchain needs a custom section `callboard:manifest` with that text"
    )]
    NoManifest,
    /// Several sections with a manifest.
    #[error("the component carries {0} manifests; there must be one, so that nobody has to guess which holds")]
    SeveralManifests(usize),
    /// The manifest cannot be read or makes no sense.
    #[error("the manifest (plugin.yaml): {0}")]
    Manifest(String),
}

/// A plugin is not loaded. The text names the plugin, the reason and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plugin `{plugin}` ({source_name}) is not loaded: {reason}")]
pub struct LoadError {
    /// The key in app-config.
    pub plugin: String,
    /// Where it was read from, as app-config has it.
    pub source_name: String,
    /// Why.
    pub reason: LoadReason,
}

/// Why a plugin is not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadReason {
    /// Not a plugin at all.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The key in app-config is another than the id in the manifest.
    #[error(
        "its manifest says that its id is `{manifest}`. In app-config, name it `plugins.{manifest}`, or correct \
         `source`"
    )]
    OtherId {
        /// From the manifest.
        manifest: String,
    },
    /// It needs another version of the portal, or the portal another one of it.
    #[error("{0}")]
    Version(String),
    /// An import that no plugin may have, or that was not declared or not granted.
    #[error("{0}")]
    Import(String),
    /// An export that nobody would call, or a contribution that nothing backs.
    #[error("{0}")]
    Export(String),
    /// A right in app-config or in the manifest that makes no sense.
    #[error("{0}")]
    Right(String),
    /// app-config's value does not fit the manifest's schema.
    #[error("{0}")]
    Config(String),
    /// `plugins.<id>.limits`.
    #[error("its limits in app-config: {0}")]
    Limits(#[from] crate::limits::LimitsError),
    /// The engine does not accept the component.
    #[error("{0}")]
    Compile(String),
}

/// A call of a plugin failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plugin `{plugin}`, {extension_point}.{function}: {message}")]
pub struct PluginError {
    /// The plugin's id.
    pub plugin: String,
    /// As in WIT.
    pub extension_point: &'static str,
    /// As in WIT.
    pub function: &'static str,
    /// For programs.
    pub kind: ErrorKind,
    /// For people.
    pub message: String,
}

/// What kind of failure it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The guest panicked or broke a rule of WebAssembly.
    Trap,
    /// The call took longer than it may.
    Deadline,
    /// The guest asked for more memory than it may have.
    Memory,
    /// The guest's calls nested too deeply.
    Stack,
    /// The guest handed more over than it may.
    TooMuchData,
    /// What the guest handed over is not what the extension point says.
    Output,
    /// What was to be handed to the guest is more than may cross.
    Input,
    /// It was not tried, since others like it had ended in faults.
    NotTried,
    /// Too many calls of this plugin at once.
    Busy,
    /// The plugin failed too often and is not called for a while.
    Suspended {
        /// How long still.
        remaining: Duration,
    },
    /// The component has no such export, or the manifest no such extension.
    NotThere,
    /// The guest answered with an error.
    Guest(GuestError),
}

impl ErrorKind {
    /// One word for it, for statistics: there is a fixed number of them.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            ErrorKind::Trap => "trap",
            ErrorKind::Deadline => "deadline",
            ErrorKind::Memory => "memory",
            ErrorKind::Stack => "stack",
            ErrorKind::TooMuchData => "too-much-data",
            ErrorKind::Output => "output",
            ErrorKind::Input => "input",
            ErrorKind::NotTried => "not-tried",
            ErrorKind::Busy => "busy",
            ErrorKind::Suspended { .. } => "suspended",
            ErrorKind::NotThere => "not-there",
            ErrorKind::Guest(GuestError::Denied) => "guest-denied",
            ErrorKind::Guest(GuestError::Invalid) => "guest-invalid",
            ErrorKind::Guest(GuestError::NotFound) => "guest-not-found",
            ErrorKind::Guest(GuestError::Unavailable) => "guest-unavailable",
            ErrorKind::Guest(GuestError::Throttled) => "guest-throttled",
            ErrorKind::Guest(GuestError::TooLarge) => "guest-too-large",
            ErrorKind::Guest(GuestError::Other { .. }) => "guest-other",
        }
    }

    /// Whether it counts towards a suspension: what the guest did wrong, not what it reported.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            ErrorKind::Trap
            | ErrorKind::Deadline
            | ErrorKind::Memory
            | ErrorKind::Stack
            | ErrorKind::TooMuchData
            | ErrorKind::Output => true,
            ErrorKind::Input
            | ErrorKind::NotTried
            | ErrorKind::Busy
            | ErrorKind::Suspended { .. }
            | ErrorKind::NotThere
            | ErrorKind::Guest(_) => false,
        }
    }
}

/// The cases of `callboard:host/types.error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestError {
    /// The plugin may not do something.
    Denied,
    /// The request made no sense to it.
    Invalid,
    /// The thing asked for does not exist.
    NotFound,
    /// The upstream could not be reached.
    Unavailable,
    /// The upstream asks to slow down.
    Throttled,
    /// More than a limit.
    TooLarge,
    /// The upstream's own error.
    Other {
        /// The upstream's code.
        code: String,
    },
}
