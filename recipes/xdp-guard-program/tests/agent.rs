//! The agent at work, beside a node that tells the truth, lies, hangs, or is away.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::World;

/// How the node behaves.
#[derive(Clone)]
enum Mood {
    Answers(&'static str),
    Raw(&'static str),
    Endless,
    Hangs,
}

/// A node's RPC that does what a test says.
struct Node {
    mood: Arc<Mutex<Mood>>,
    port: u16,
}

impl Node {
    fn start(world: &World, nodes: &'static str) -> Self {
        let listener = TcpListener::bind(SocketAddr::from((world.here(), 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mood = Arc::new(Mutex::new(Mood::Answers(nodes)));
        let shared = Arc::clone(&mood);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mood = shared.lock().unwrap().clone();
                std::thread::spawn(move || answer(stream, &mood));
            }
        });
        Self { mood, port }
    }

    fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

fn answer(mut stream: TcpStream, mood: &Mood) -> Option<()> {
    let question = read(&mut stream)?;
    match mood {
        Mood::Answers(nodes) => {
            let result = match () {
                () if question.contains("getClusterNodes") => nodes,
                () if question.contains("getIdentity") => r#"{"identity":"me"}"#,
                () => {
                    r#"{"current":[{"nodePubkey":"b","activatedStake":90},{"nodePubkey":"c","activatedStake":10}],"delinquent":[]}"#
                }
            };
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()
        }
        Mood::Raw(text) => stream.write_all(text.as_bytes()).ok(),
        Mood::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[").ok()?;
            let junk = vec![b' '; 1 << 20];
            while stream.write_all(&junk).is_ok() {}
            None
        }
        Mood::Hangs => {
            std::thread::sleep(Duration::from_secs(60));
            None
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

const NODES: &str = r#"[{"pubkey":"me","gossip":"8.8.8.1:8001","tvu":"8.8.8.1:8000"},
    {"pubkey":"b","gossip":"8.8.8.2:8001"},{"pubkey":"c","gossip":"8.8.8.3:8001"},
    {"pubkey":"d","gossip":"8.8.8.4:8001"},{"pubkey":"e","gossip":"192.168.0.1:8001"}]"#;
const FEWER: &str = r#"[{"pubkey":"me","gossip":"8.8.8.1:8001"},{"pubkey":"d","gossip":"8.8.8.4:8001"}]"#;
const PRIVATE: &str = r#"[{"pubkey":"me","gossip":"10.0.0.1:8001"},{"pubkey":"d","gossip":"127.0.0.1:8001"}]"#;

fn config(world: &World, node: &Node) -> String {
    format!(
        "mode = 'enforce'\n[node]\nrpc = 'http://{}:{}'\ninterval_seconds = 5\ntimeout_seconds = 2\n\
         [class.gossip]\ndiscover = ['gossip']\npayload_min = 4\n",
        world.here(),
        node.port
    )
}

/// The peers by tier, once they are as expected.
fn wait(world: &World, expect: [u64; 3]) {
    let start = Instant::now();
    loop {
        let (code, out, _) = world.run("status --json");
        let status: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
        if code == 0 && status[0]["peers"] == serde_json::json!(expect) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "want {expect:?}\n{out}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What the agent says until it says this.
fn hear(from: &mut impl BufRead, expect: &str) {
    let mut heard = String::new();
    while !heard.contains(expect) {
        assert_ne!(from.read_line(&mut heard).unwrap(), 0, "want {expect}\n{heard}");
    }
}

#[test]
fn learns_peers_and_ports_and_forgets_nothing_for_a_liar() {
    let world = World::new();
    let node = Node::start(&world, NODES);
    let flags = world.flags(&config(&world, &node));
    let mut agent = world.spawn(&format!("run {flags} --metrics {}:9100", world.there()));
    let mut words = BufReader::new(agent.0.stderr.take().unwrap());
    let mut samples = BufReader::new(agent.0.stdout.take().unwrap());
    hear(&mut words, "guarded: xdp, program");
    // `me` and `d` are in gossip, `c` has stake, `b` has the most; `e` has an address of no use.
    wait(&world, [2, 1, 1]);
    hear(&mut words, "1 addresses of nodes are not of the internet");

    world.send(8001, b"no", 2);
    assert_eq!(world.count("gossip", "length"), 2);
    let mut line = String::new();
    samples.read_line(&mut line).unwrap();
    let sample: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&sample["reason"], &sample["class"]), (&"length".into(), &"gossip".into()), "{line}");
    let addresses = (&sample["source"], &sample["destination"]);
    assert_eq!(addresses, (&world.here().to_string().into(), &world.there().to_string().into()));
    assert_eq!((&sample["port"], &sample["protocol"], &sample["dropped"]), (&8001.into(), &17.into(), &true.into()));

    let metrics = metrics(&world);
    for expect in [
        "xdp_guard_packets_total{interface=\"guarded\",class=\"gossip\",reason=\"length\"} 2",
        "xdp_guard_peers{interface=\"guarded\",tier=\"top\"} 1",
        "xdp_guard_enforced{interface=\"guarded\",class=\"gossip\"} 1",
    ] {
        assert!(metrics.contains(expect), "{expect}\n{metrics}");
    }

    let lies = [
        (Mood::Raw("nonsense\r\n\r\n"), "asking http"),
        (Mood::Raw("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), "status 500"),
        (Mood::Raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{\"a\""), "EOF"),
        (Mood::Answers(r#""all of them""#), "invalid type"),
        (Mood::Answers("[]"), "it tells of no peer"),
        (Mood::Answers(PRIVATE), "it tells of no peer"),
        (Mood::Hangs, "timeout"),
        (Mood::Endless, "what was known stays"),
    ];
    for (mood, expect) in lies {
        node.becomes(mood);
        hear(&mut words, expect);
        wait(&world, [2, 1, 1]);
    }
    node.becomes(Mood::Answers(FEWER));
    wait(&world, [2, 0, 0]);
}

#[test]
fn starts_with_what_the_node_told_last() {
    let world = World::new();
    let node = Node::start(&world, NODES);
    let flags = world.flags(&config(&world, &node));
    let agent = world.spawn(&format!("run {flags}"));
    wait(&world, [2, 1, 1]);
    drop(agent);
    let program = world.status()["program"].clone();

    node.becomes(Mood::Raw(""));
    let agent = world.spawn(&format!("run {flags}"));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(world.status()["program"], program, "the agent did not take over");
    drop(agent);

    assert_eq!(world.run("detach").0, 0);
    let mut agent = world.spawn(&format!("run {flags}"));
    hear(&mut BufReader::new(agent.0.stderr.take().unwrap()), "guarded: xdp, program");
    wait(&world, [2, 1, 1]);
    world.send(8001, b"no", 1);
    assert_eq!(world.count("gossip", "length"), 1, "the port is not known");
}

#[test]
fn takes_a_new_config_and_refuses_a_wrong_one() {
    let world = World::new();
    let class = "[class.gossip]\nports = [8001]\npayload_min = 4\n";
    let flags = world.flags(class);
    let mut agent = world.spawn(&format!("run {flags}"));
    let mut words = BufReader::new(agent.0.stderr.take().unwrap());
    hear(&mut words, "guarded: xdp, program");
    world.send(8001, b"no", 1);
    let verdict = |world: &World| {
        world.status()["counts"].as_array().unwrap().iter().find(|count| count["reason"] == "length").unwrap()["verdict"].clone()
    };
    assert_eq!(verdict(&world), "observed");

    world.flags("mode = 'maybe'");
    hear(&mut words, "config.toml:1: unknown variant `maybe`");
    world.flags(&format!("mode = 'enforce'\n{class}"));
    let start = Instant::now();
    while verdict(&world) != "dropped" {
        assert!(start.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(200));
    }
    let program = world.status()["program"].clone();

    // Other classes need other maps.
    world.flags(&format!("{class}[class.other]\nports = [9000]\npayload_min = 4\n"));
    while world.status()["program"] == program {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(200));
    }
    world.send(9000, b"no", 3);
    assert_eq!(world.count("other", "length"), 3);
}

fn metrics(world: &World) -> String {
    let mut stream = TcpStream::connect(SocketAddr::from((world.there(), 9100))).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
