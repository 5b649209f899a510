//! `callboard:host/workspace`: the folder of a scaffolder task's attempt, where the call carries one.

use std::sync::Arc;

use crate::bindings::types::Error;
use crate::bindings::workspace::{Entry, Host, Listing};
use crate::call::CallState;
use crate::limits::Limits;
use crate::workspace::Workspace;

impl Host for CallState {
    async fn stat(&mut self, path: String) -> wasmtime::Result<Result<Option<Entry>, Error>> {
        self.in_workspace("workspace.stat", move |workspace, _| workspace.stat(&path)).await
    }

    async fn list(
        &mut self,
        folder: String,
        recursive: bool,
        after: Option<String>,
    ) -> wasmtime::Result<Result<Listing, Error>> {
        self.in_workspace("workspace.list", move |workspace, _| workspace.list(&folder, recursive, after.as_deref()))
            .await
    }

    async fn read(&mut self, path: String, offset: u64, length: u32) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        self.in_workspace("workspace.read", move |workspace, _| workspace.read(&path, offset, length)).await
    }

    async fn write(&mut self, path: String, bytes: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        self.in_workspace("workspace.write", move |workspace, limits| workspace.write(limits, &path, &bytes)).await
    }

    async fn append(&mut self, path: String, bytes: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        self.in_workspace("workspace.append", move |workspace, limits| workspace.append(limits, &path, &bytes)).await
    }

    async fn create_folder(&mut self, path: String) -> wasmtime::Result<Result<(), Error>> {
        self.in_workspace("workspace.create-folder", move |workspace, limits| workspace.create_folder(limits, &path))
            .await
    }

    async fn remove(&mut self, path: String) -> wasmtime::Result<Result<(), Error>> {
        self.in_workspace("workspace.remove", move |workspace, _| workspace.remove(&path)).await
    }

    async fn rename(&mut self, from: String, to: String) -> wasmtime::Result<Result<(), Error>> {
        self.in_workspace("workspace.rename", move |workspace, limits| workspace.rename(limits, &from, &to)).await
    }

    async fn copy(&mut self, from: String, to: String) -> wasmtime::Result<Result<(), Error>> {
        self.in_workspace("workspace.copy", move |workspace, limits| workspace.copy(limits, &from, &to)).await
    }

    async fn set_executable(&mut self, path: String, executable: bool) -> wasmtime::Result<Result<(), Error>> {
        self.in_workspace("workspace.set-executable", move |workspace, _| workspace.set_executable(&path, executable))
            .await
    }
}

impl CallState {
    /// Does something in the workspace on a thread that may wait for a disk.
    async fn in_workspace<T: Send + 'static>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&Workspace, &Limits) -> Result<T, Error> + Send + 'static,
    ) -> wasmtime::Result<Result<T, Error>> {
        self.has_asked = true;
        self.plugin.stats.host_call(name);
        let Some(workspace) = self.carried.workspace.clone() else {
            let message = "this call has no workspace; only the run of a scaffolder action has one".to_owned();
            return Ok(Err(Error::Denied(message)));
        };
        let plugin = Arc::clone(&self.plugin);
        let done = tokio::task::spawn_blocking(move || work(&workspace, &plugin.limits)).await;
        done.map_err(|error| wasmtime::format_err!("the work in a workspace ended early: {error}"))
    }
}
