//! The plugin host against hostile guests: each is an example of `tests/guests`, built by `cargo xtask test`.

#[path = "guests/calls.rs"]
mod calls;
#[path = "guests/fixture.rs"]
mod fixture;
#[path = "guests/loading.rs"]
mod loading;
#[path = "guests/network.rs"]
mod network;
