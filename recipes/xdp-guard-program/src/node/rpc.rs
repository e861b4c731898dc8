//! Questions to the node's RPC. Whoever answers may be a stranger on a port that the node left: how long and how much
//! may be answered is limited, and what the answer says is judged by [`super::cluster`].

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::Node;
use crate::failure::{During, Failure};

/// The longest answer: of the largest cluster it is about 5 MB.
const BYTES_MAX: u64 = 32 << 20;

/// A node that answers questions.
pub struct Rpc {
    agent: ureq::Agent,
    url: String,
}

impl Rpc {
    /// The node of a config.
    pub fn new(node: &Node) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(node.timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self { agent: config.into(), url: node.rpc.clone() }
    }

    /// The answer to a question without parameters.
    pub fn ask<T: DeserializeOwned>(&self, method: &str) -> Result<T, Failure> {
        let asking = || format!("asking {} for {method}", self.url);
        let wrong = |what: String| Failure::Environment(format!("{}: {what}", asking()));
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method }).to_string();
        let request = self.agent.post(&self.url).content_type("application/json");
        let mut response = request.send(question).during(asking)?;
        if response.status() != 200 {
            return Err(wrong(format!("status {}", response.status())));
        }
        let bytes = response.body_mut().with_config().limit(BYTES_MAX).read_to_vec().during(asking)?;
        let mut answer: Value = serde_json::from_slice(&bytes).during(asking)?;
        if let Some(error) = answer.get("error") {
            return Err(wrong(error.to_string().chars().take(200).collect()));
        }
        serde_json::from_value(answer["result"].take()).during(asking)
    }
}
