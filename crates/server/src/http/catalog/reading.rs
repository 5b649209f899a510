//! A bound for requests that have something read while they wait.

use std::time::Duration;

/// How long such a request may take as a whole. What it reads is many files, each with a limit of its own, and a few
/// slow hosts would add up to hours. A proxy on the way gives up after a minute, and then nobody learns why.
pub(super) const PATIENCE: Duration = Duration::from_secs(50);

/// The answer, or what to say instead. What was under way is given up with the future.
pub(super) async fn within<T>(patience: Duration, reading: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(patience, reading).await.map_err(|_| {
        format!("reading what is needed for an answer took more than {} s, and was given up", patience.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ends() {
        assert_eq!(within(PATIENCE, async { 1 }).await, Ok(1));
        let message = within(Duration::from_millis(1), std::future::pending::<()>()).await.unwrap_err();
        assert!(message.contains("took more than"), "{message}");
    }
}
