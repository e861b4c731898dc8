//! What Prometheus reads.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tiny_http::{Header, Method, Response, Server};

use super::{Shared, look};
use crate::abi::{Counters, REASON_NAMES};
use crate::bpf::maps::Maps;
use crate::failure::Failure;
use crate::node::discovery::now;

/// What does not change while the agent works.
pub struct Labels {
    /// The guarded interface.
    pub interface: String,
    /// `xdp` or `tcx`.
    pub hook: &'static str,
    /// Of the program's instructions, in hexadecimal.
    pub tag: String,
}

/// Answers on an address, in a thread of its own.
pub fn serve(address: SocketAddr, labels: Labels, shared: Arc<Mutex<Shared>>) -> Result<(), Failure> {
    let server = Server::http(address)
        .map_err(|error| Failure::Environment(format!("listening on {address} for Prometheus: {error}")))?;
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            let wanted = *request.method() == Method::Get && request.url() == "/metrics";
            let (status, text) = if wanted { answer(&labels, &shared) } else { (404, "GET /metrics\n".into()) };
            let mut response = Response::from_string(text).with_status_code(status);
            if let Ok(kind) = Header::from_bytes("Content-Type", "text/plain; version=0.0.4") {
                response.add_header(kind);
            }
            // Whoever asked may be gone.
            request.respond(response).ok();
        }
    });
    Ok(())
}

fn answer(labels: &Labels, shared: &Mutex<Shared>) -> (u16, String) {
    let shared = look(shared);
    match Maps::open(&shared.folder).and_then(|maps| maps.counters()) {
        Ok(counters) => (200, text(labels, &shared, &counters, now())),
        Err(failure) => (503, format!("{failure}\n")),
    }
}

fn text(labels: &Labels, shared: &Shared, counters: &Counters, now: u64) -> String {
    let Labels { interface, hook, tag } = labels;
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, u64)>| {
        writeln!(text, "# HELP xdp_guard_{name} {help}\n# TYPE xdp_guard_{name} {kind}").ok();
        for (labels, value) in samples {
            let labels = if labels.is_empty() { labels } else { format!(",{labels}") };
            writeln!(text, "xdp_guard_{name}{{interface=\"{interface}\"{labels}}} {value}").ok();
        }
    };
    let version = env!("CARGO_PKG_VERSION");
    let info = format!("hook=\"{hook}\",tag=\"{tag}\",version=\"{version}\"");
    family("info", "gauge", "The agent and its program.", vec![(info, 1)]);
    let packets = by_class_and_reason(shared, |class, reason| counters[class][reason].packets);
    family("packets_total", "counter", "Frames by class and what was found.", packets);
    let bytes = by_class_and_reason(shared, |class, reason| counters[class][reason].bytes);
    family("bytes_total", "counter", "Bytes of frames by class and what was found.", bytes);
    let modes = shared
        .record
        .classes
        .iter()
        .enumerate()
        .map(|(number, class)| (format!("class=\"{class}\""), u64::from(shared.record.enforced.contains(&number))));
    family("enforced", "gauge", "Whether what is wrong is dropped.", modes.collect());
    let peers = ["gossip", "staked", "top"].iter().zip(shared.peers);
    let peers = peers.map(|(tier, count)| (format!("tier=\"{tier}\""), count as u64)).collect();
    family("peers", "gauge", "Known senders.", peers);
    let left_out = vec![(String::new(), shared.left_out as u64)];
    family("peers_left_out", "gauge", "Known senders for which the maps have no room.", left_out);
    let told = (shared.told_at != 0).then(|| (String::new(), now.saturating_sub(shared.told_at)));
    family("peers_age_seconds", "gauge", "Since the node told of peers.", told.into_iter().collect());
    let failures = vec![(String::new(), shared.failures)];
    family("node_failures_total", "counter", "Answers of the node that could not be used.", failures);
    text
}

fn by_class_and_reason(shared: &Shared, value: impl Fn(usize, usize) -> u64) -> Vec<(String, u64)> {
    let classes = shared.record.classes.iter().enumerate();
    let all = classes.flat_map(|(number, class)| {
        REASON_NAMES.iter().enumerate().map(move |(reason, name)| (number, class, reason, *name))
    });
    all.map(|(number, class, reason, name)| (format!("class=\"{class}\",reason=\"{name}\""), value(number, reason)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::record::Record;

    #[test]
    fn tells_what_the_maps_hold() {
        let labels = Labels { interface: "eth0".into(), hook: "xdp", tag: "00ff".into() };
        let classes = vec!["none".into(), "gossip".into()];
        let record = Record { program: 1, hertz: 250, samples: false, classes, enforced: vec![1] };
        let shared = Shared { folder: "x".into(), record, peers: [3, 2, 1], left_out: 5, told_at: 90, failures: 4 };
        let mut counters = Counters::default();
        counters[1][9].packets = 7;
        let text = text(&labels, &shared, &counters, 100);
        for line in [
            "xdp_guard_packets_total{interface=\"eth0\",class=\"gossip\",reason=\"source_port\"} 7",
            "xdp_guard_packets_total{interface=\"eth0\",class=\"none\",reason=\"bogon\"} 0",
            "xdp_guard_enforced{interface=\"eth0\",class=\"gossip\"} 1",
            "xdp_guard_peers{interface=\"eth0\",tier=\"staked\"} 2",
            "xdp_guard_peers_left_out{interface=\"eth0\"} 5",
            "xdp_guard_peers_age_seconds{interface=\"eth0\"} 10",
            "xdp_guard_node_failures_total{interface=\"eth0\"} 4",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}
