//! axe-core in the page: what is wrong with it for people who do not use it as its author does.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Browser;

/// WCAG 2.2 AA, and axe's own good practice.
const RUN: &str = r#"
const done = arguments[arguments.length - 1];
axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
    iframes: false,
}).then(result => done({ violations: result.violations.map(violation => ({
    rule: violation.id,
    help: violation.help,
    places: violation.nodes.map(node => `${node.target.join(" ")}: ${node.failureSummary}`),
})) }), error => done({ error: String(error) }));
"#;

/// A rule that the page breaks, and where.
#[derive(Debug, Deserialize)]
pub struct Violation {
    pub rule: String,
    pub help: String,
    pub places: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    violations: Vec<Violation>,
    error: Option<String>,
}

impl Browser {
    /// Checks the page, or the frame that the window is in.
    pub async fn axe(&self) -> Result<Vec<Violation>> {
        let script = crate::environment::axe()?;
        self.run(&script).await.context("axe-core did not load")?;
        let answer = self.client.execute_async(RUN, vec![]).await.context("axe-core did not run")?;
        let answer: Answer = serde_json::from_value(answer).context("axe-core's answer")?;
        if let Some(error) = answer.error {
            bail!("axe-core failed: {error}");
        }
        Ok(answer.violations)
    }
}
