//! The plugin host against the hostile guests of `tests/guests`; those of Rust are built by `cargo xtask test`.

#[cfg(test)]
#[path = "guests/actions.rs"]
mod actions;
#[cfg(test)]
#[path = "guests/attacks.rs"]
mod attacks;
#[cfg(test)]
#[path = "guests/calls.rs"]
mod calls;
#[cfg(test)]
#[path = "guests/canaries.rs"]
mod canaries;
#[cfg(test)]
#[path = "guests/catalog.rs"]
mod catalog;
#[cfg(test)]
#[path = "guests/compliance.rs"]
mod compliance;
#[cfg(test)]
#[path = "guests/egress.rs"]
mod egress;
#[cfg(test)]
#[path = "guests/events.rs"]
mod events;
#[cfg(test)]
#[path = "guests/fixture.rs"]
mod fixture;
#[cfg(test)]
#[path = "guests/loading.rs"]
mod loading;
#[cfg(test)]
#[path = "guests/network.rs"]
mod network;
#[cfg(test)]
#[path = "guests/processors.rs"]
mod processors;
#[cfg(test)]
#[path = "guests/routes.rs"]
mod routes;
#[cfg(test)]
#[path = "guests/statistics.rs"]
mod statistics;
#[cfg(test)]
#[path = "guests/versions.rs"]
mod versions;
