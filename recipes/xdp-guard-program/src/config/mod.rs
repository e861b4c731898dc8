//! What an administrator decides: read from TOML, and judged before anything uses it.

mod class;
mod file;
mod judge;
mod ports;
mod problem;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

pub use class::{Class, Rate, Rates};
pub use file::{Mode, Protocol, Socket, Tier};
pub use problem::{Problem, Problems, nearest};

/// The JSON schema of the file.
pub const SCHEMA: &str = include_str!("schema.json");

/// A config that can be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Of what no class is about.
    pub mode: Mode,
    /// Whether pieces of UDP datagrams that tell no port are wrong.
    pub drop_fragments: bool,
    /// Whether there are samples of what is dropped.
    pub samples: bool,
    /// The node's addresses; none: all of the interface.
    pub addresses: Vec<IpAddr>,
    /// The validator to ask.
    pub node: Option<Node>,
    /// Classes of traffic; the number of the first is 1.
    pub classes: Vec<Class>,
    /// Senders that are always known.
    pub peers: BTreeMap<IpAddr, Tier>,
}

/// The validator to ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Of its RPC.
    pub rpc: String,
    /// Its public key; none: what it says itself.
    pub identity: Option<String>,
    /// Between two questions.
    pub interval: Duration,
    /// For one question.
    pub timeout: Duration,
    /// How much of all stake those with the most have that are of tier `top`.
    pub top_stake_percent: u64,
    /// Whether peers may have addresses that are not of the internet.
    pub private_addresses: bool,
}

impl Config {
    /// `text` of `file`, judged.
    pub fn of(file: &Path, text: &str) -> Result<Self, Problems> {
        let parsed = toml::from_str(text).map_err(|error| vec![syntax(&error)]);
        parsed.and_then(judge::judge).map_err(|problems| Problems::new(file, text, problems))
    }

    /// The names of the classes by number; 0 is of what no class is about.
    pub fn class_names(&self) -> Vec<String> {
        std::iter::once("none".into()).chain(self.classes.iter().map(|class| class.name.clone())).collect()
    }
}

/// What TOML or serde has to say, split into what is wrong and what to write.
fn syntax(error: &toml::de::Error) -> Problem {
    let at = error.span().unwrap_or(0..0);
    let message = error.message().replace('\n', ", ");
    let (wrong, write) = match message.split_once(", expected ") {
        Some((wrong, expected)) => (wrong.to_owned(), nearest_of(wrong, expected)),
        None => (message, "what `xdp-guard schema` describes".into()),
    };
    Problem { at, wrong, write }
}

/// Of the names that serde expects the nearest to the one it found; all where all are far.
fn nearest_of(wrong: &str, expected: &str) -> String {
    let names = expected.split('`').skip(1).step_by(2);
    let found = wrong.split('`').nth(1).and_then(|name| nearest(name, names));
    found.map_or_else(|| expected.to_owned(), |name| format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: &str = "[class.a]\nports = [8001]\n";

    fn check(text: &str, expect: &str) {
        let problems = Config::of(Path::new("f"), text).expect_err(text).to_string();
        assert!(problems.contains(expect), "{text}\n--- says\n{problems}\n--- not\n{expect}");
    }

    #[test]
    fn says_where_what_and_what_to_write() {
        for (text, expect) in [
            ("moode = 'observe'", "f:1: unknown field `moode`\n  write: `mode`"),
            ("\nmode = 'on'", "f:2: unknown variant `on`\n  write: `observe` or `enforce`"),
            ("[class.a]\nprots = [1]", "f:2: unknown field `prots`\n  write: `ports`"),
            ("[class.a]\nports = [0]", "f:2: a port is from 1 to 65535\n  write: one such as 8001"),
            ("[class.a]\nports = ['9-1']", "f:2: invalid value: string \"9-1\"\n  write: a port as 8001"),
            ("[class.a]\nports = [1]\nports = [2]", "f:3: duplicate key"),
            ("[class.a]", "f:1: no traffic is of class `a`\n  write: `ports = [...]`"),
            ("[class.'A b']\nports = [1]", "f:1: `A b` is no name of a class\n  write: small letters"),
            ("[class.none]\nports = [1]", "f:1: `none` is what no class is about"),
            ("[class.a]\nports = [1]\n[class.b]\nports = [2, 1]", "f:4: port 1 is of class `a` as well"),
            ("[class.a]\nports = ['1-9']\n[class.b]\nports = ['9-10']", "f:4: ports 9-10 overlap those of class `a`"),
            ("[class.a]\ndiscover = ['gossip']", "f:2: no node to discover ports from\n  write: `[node]`"),
            ("[class.a]\nports = [1]\npayload_min = 9\npayload_max = 8", "f:3: payload_min is more than payload_max"),
            ("[class.a]\nports = [1]\nfirst_byte = { min = 9, max = 8 }", "f:3: no byte is from 9 to 8"),
            ("[class.a]\nports = [1]\nfirst_byte = { mask = 15, min = 16, max = 20 }", "f:3: no byte masked with 0x0f"),
            ("[class.a]\nports = [1]\nprotocol = 'tcp'\npayload_min = 9", "f:4: payload_min is about UDP"),
            ("[class.a]\nports = [1]\npart = { mask = 1, value = 2, class = 'b' }", "f:3: no byte masked with 0x01"),
            ("[class.a]\nports = [1]\npart = { mask = 1, value = 1, class = 'aa' }", "f:3: no class is called `aa`"),
            ("[class.a]\nports = [1]\npart = { mask = 1, value = 1, class = 'a' }", "f:3: class `a` can't be part"),
            ("[class.a]\nports = [1]\n[class.a.unknown]\nrate = 200000000", "f:4: a rate of 200000000"),
            ("[class.a]\nports = [1]\n[class.a.unknown]\nrate = 9\nburst_ms = 4", "f:5: a burst of 4 ms"),
            ("[class.a]\nports = [1]\n[class.a.unknown]\nburst_ms = 40", "f:4: burst_ms without rate"),
            ("[node]\nrpc = 'https://x'", "f:2: `https://x` is no plain HTTP address"),
            (
                "[node]\nrpc = 'http://x'\ninterval_seconds = 1",
                "f:3: interval_seconds is 1\n  write: a number from 5 to 3600",
            ),
            ("[node]\nrpc = 'http://x'\nidentity = 'me'", "f:3: `me` is no public key"),
            ("[[peer]]\naddress = '224.0.0.1'\ntier = 'top'", "f:2: nobody sends from 224.0.0.1"),
            ("[[peer]]\naddress = '8.8.8.8'\ntier = 'best'", "f:3: unknown variant `best`"),
            ("addresses = ['1.1.1']", "f:1: invalid IP address syntax"),
            ("samples = 100", "f:1: invalid type: integer `100`\n  write: a boolean"),
            ("addresses = ['::']", "f:1: no node has the address ::"),
            ("[[peer]]\naddress = 'ff0e::1'\ntier = 'top'", "f:2: nobody sends from ff0e::1"),
        ] {
            check(text, expect);
        }
    }

    #[test]
    fn says_all_that_is_wrong() {
        let error = Config::of(Path::new("f"), "addresses = ['::']\n[class.a]\n[class.b]").expect_err("three");
        assert_eq!(error.to_string().matches("write:").count(), 3);
    }

    #[test]
    fn has_at_most_fifteen_classes() {
        let text: String = (1..=16).map(|n| format!("[class.c{n:02}]\nports = [{n}]\n")).collect();
        check(&text, "f:31: there are 16 classes\n  write: at most 15");
    }

    #[test]
    fn a_tier_without_limits_has_those_of_the_tier_below() {
        let text =
            format!("{CLASS}[class.a.unknown]\nrate = 10\nceiling = 0\n[class.a.staked]\nrate = 20\nburst_ms = 30");
        let config = Config::of(Path::new("f"), &text).expect("a config");
        let tiers = &config.classes[0].tiers;
        assert_eq!(tiers[0], Rates { each: Rate::Of { per_second: 10, burst_ms: 100 }, all: Rate::Shut });
        assert_eq!(tiers[1], tiers[0]);
        assert_eq!(tiers[2], Rates { each: Rate::Of { per_second: 20, burst_ms: 30 }, all: Rate::Unlimited });
        assert_eq!(tiers[3], tiers[2]);
    }

    #[test]
    fn the_shipped_config_is_right_and_only_observes() {
        let text = include_str!("../../../../images/xdp-guard/mainnet.toml");
        let config = Config::of(Path::new("mainnet.toml"), text).expect("a config");
        assert_eq!(config.mode, Mode::Observe);
        assert!(config.classes.iter().all(|class| class.mode == Mode::Observe));
    }

    #[test]
    fn the_schema_knows_the_same_fields() {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("schema.json", serde_json::from_str(SCHEMA).expect("JSON")).expect("a resource");
        let schema = compiler.compile("schema.json", &mut schemas).expect("a schema");
        let judge = |text: &str| {
            let value: toml::Value = toml::from_str(text).expect("TOML");
            schemas.validate(&serde_json::to_value(value).expect("JSON"), schema).is_ok()
        };
        assert!(judge(include_str!("../../../../images/xdp-guard/mainnet.toml")));
        for wrong in ["moode = 'observe'", "mode = 'on'", "[class.a]\nprots = [1]", "[class.a]\nports = [0]", "[node]"]
        {
            assert!(!judge(wrong), "{wrong}");
        }
    }
}
