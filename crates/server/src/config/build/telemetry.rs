//! `backend.telemetry`.

use axum::http::HeaderName;
use callboard_egress::Secret;

use super::Build;
use crate::config::model::Telemetry;
use crate::config::node::Node;

impl Build<'_> {
    pub(super) fn telemetry(&mut self) -> Option<Telemetry> {
        let endpoint = self.url("backend.telemetry.endpoint")?;
        Some(Telemetry {
            endpoint,
            headers: self.telemetry_headers(),
            sampling: self.sampling(),
            service_name: self.text("backend.telemetry.serviceName").unwrap_or_else(|| "callboard".to_owned()),
        })
    }

    fn telemetry_headers(&mut self) -> Vec<(HeaderName, Secret)> {
        let mut headers = Vec::new();
        for (name, node) in self.root.at("backend.telemetry.headers").map(Node::entries).unwrap_or_default() {
            let Some(value) = node.text() else { continue };
            match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) => headers.push((name, Secret::new(value))),
                Err(_) => {
                    let path = format!("backend.telemetry.headers.{name}");
                    self.fail(&path, node, "is not the name of a header", "Use letters, digits and `-`.");
                }
            }
        }
        headers
    }

    fn sampling(&mut self) -> f64 {
        const PATH: &str = "backend.telemetry.sampling";
        let Some(node) = self.root.at(PATH) else { return 1.0 };
        let value = node.to_json();
        let share = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        share.filter(|share| (0.0..=1.0).contains(share)).unwrap_or_else(|| {
            self.fail(PATH, node, "is not a number from 0 to 1", "Write 0.1 for a tenth of the traces.");
            1.0
        })
    }
}
