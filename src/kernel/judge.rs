//! What became of each line that was asked for, and why.
//!
//! | verdict | the line | the build |
//! |---|---|---|
//! | already | asks for what the layers below it give anyway | goes on |
//! | kept | came true | goes on |
//! | overridden | is set otherwise by a later layer | goes on |
//! | promptless | came true, but never by being asked for: only other symbols set it | goes on |
//! | coerced | came out as another value | fails |
//! | unknown | names a symbol that this Linux has not | fails |
//!
//! A waiver of the recipe lets a coerced or unknown line pass.

use std::collections::BTreeMap;

use super::fragment::Request;
use super::kconfig::Kconfig;
use super::reason::reasons;
use super::{Config, nearest};

/// A fragment as it was asked for, and what Kconfig made of all up to it.
#[derive(Debug)]
pub struct Layer {
    /// The fragment's name.
    pub name: String,
    /// Its lines.
    pub requests: Vec<Request>,
    /// The whole configuration with this layer as the last one.
    pub config: Config,
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The layers below give this value anyway.
    Already,
    /// It came true.
    Kept,
    /// A later layer sets it otherwise: the fragment and the line.
    Overridden(String, usize),
    /// It came true, and would have if nobody had asked.
    Promptless,
    /// It came out as that value, for these reasons.
    Coerced(String, Vec<String>),
    /// There is no such symbol; one with a name like it, if there is one.
    Unknown(Option<String>),
}

/// A line and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The fragment.
    pub file: String,
    /// What was asked for.
    pub request: Request,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it is let pass, where it would fail.
    pub waived: Option<String>,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Already => "already",
            Self::Kept => "kept",
            Self::Overridden(..) => "overridden",
            Self::Promptless => "promptless",
            Self::Coerced(..) => "coerced",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether it fails the build.
    #[must_use]
    pub fn fails(&self) -> bool {
        matches!(self, Self::Coerced(..) | Self::Unknown(_))
    }

    /// What is to be said of a line of that symbol, if anything.
    #[must_use]
    pub fn why(&self, symbol: &str) -> Option<String> {
        match self {
            Self::Already | Self::Kept => None,
            Self::Overridden(file, line) => Some(format!("{file}:{line} sets it otherwise")),
            Self::Promptless => Some("nobody can choose it: other symbols set it, so the line does nothing".to_owned()),
            Self::Coerced(value, reasons) => {
                let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
                Some(format!("came out as {value}{reasons}"))
            }
            Self::Unknown(near) => {
                let near = near.as_ref().map(|near| format!("; there is CONFIG_{near}")).unwrap_or_default();
                Some(format!("this Linux has no CONFIG_{symbol}{near}"))
            }
        }
    }
}

/// Judges every line of every layer, which lie on the configuration `base`.
#[must_use]
pub fn judge(base: &Config, layers: &[Layer], kconfig: &Kconfig, waivers: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut below = base;
    for (number, layer) in layers.iter().enumerate() {
        for request in &layer.requests {
            let verdict = verdict(request, number, below, layers, kconfig);
            let waived = waivers.get(&request.symbol).filter(|_| verdict.fails()).cloned();
            findings.push(Finding { file: layer.name.clone(), request: request.clone(), verdict, waived });
        }
        below = &layer.config;
    }
    findings
}

fn verdict(request: &Request, number: usize, below: &Config, layers: &[Layer], kconfig: &Kconfig) -> Verdict {
    let Request { symbol, value, .. } = request;
    let Some(known) = kconfig.symbols.get(symbol).filter(|known| !known.definitions.is_empty()) else {
        return Verdict::Unknown(nearest(symbol, kconfig.symbols.keys().map(String::as_str)).map(str::to_owned));
    };
    let later = layers[number + 1..].iter().rev().flat_map(|layer| layer.requests.iter().map(move |one| (layer, one)));
    if let Some((layer, other)) = later.into_iter().find(|(_, other)| other.symbol == *symbol)
        && other.value != *value
    {
        return Verdict::Overridden(layer.name.clone(), other.line);
    }
    let last = &layers.last().expect("BUG: a line of no layer").config;
    if !last.is(symbol, value) {
        return Verdict::Coerced(last.value(symbol).to_owned(), reasons(request, number, layers, kconfig));
    }
    match (known.has_prompt(), below.is(symbol, value)) {
        (false, _) => Verdict::Promptless,
        (true, true) => Verdict::Already,
        (true, false) => Verdict::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fragment::read;
    use super::*;

    const KCONFIG: &str = r#"
config BUS
	bool "Bus"
config DISK
	tristate "Disk"
	depends on BUS
	select CORE
config CORE
	bool
config SHY
	bool "Shy" if EXPERT
	default y
config EXPERT
	bool "Expert"
config COUNT
	int "Count"
	range 2 8
choice
	prompt "Queue"
config FAIR
	bool "Fair"
config FIFO
	bool "Plain"
endchoice
"#;

    fn kconfig() -> Kconfig {
        let mut file = |path: &str| Ok::<_, std::convert::Infallible>((path == "Kconfig").then(|| KCONFIG.to_owned()));
        Kconfig::read(&mut file).expect("a text")
    }

    fn layer(name: &str, asked: &str, config: &str) -> Layer {
        Layer { name: name.to_owned(), requests: read(asked).expect("a fragment"), config: Config::read(config) }
    }

    /// The verdict on a line, alone in one layer, in words.
    fn judged(asked: &str, base: &str, config: &str) -> String {
        let found = judge(&Config::read(base), &[layer("a", asked, config)], &kconfig(), &BTreeMap::new());
        let [Finding { request, verdict, .. }] = &found[..] else { panic!("one line: {found:?}") };
        format!("{}; {}", verdict.word(), verdict.why(&request.symbol).unwrap_or_default())
    }

    #[test]
    fn every_verdict() {
        for (asked, base, config, want) in [
            ("CONFIG_BUS=y", "", "CONFIG_BUS=y", "kept; "),
            ("CONFIG_BUS=y", "CONFIG_BUS=y", "CONFIG_BUS=y", "already; "),
            ("# CONFIG_BUS is not set", "", "", "already; "),
            (
                "CONFIG_CORE=y",
                "",
                "CONFIG_CORE=y",
                "promptless; nobody can choose it: other symbols set it, so the line does nothing",
            ),
            ("CONFIG_DIKS=y", "", "", "unknown; this Linux has no CONFIG_DIKS; there is CONFIG_DISK"),
            ("# CONFIG_ELEPHANT is not set", "", "", "unknown; this Linux has no CONFIG_ELEPHANT"),
            ("CONFIG_DISK=y", "", "", "coerced; came out as n: it depends on `BUS`, and BUS is n"),
            ("CONFIG_BUS=m", "", "CONFIG_BUS=y", "coerced; came out as y: it is a bool, never m"),
            ("CONFIG_CORE=y", "", "", "coerced; came out as n: nobody can choose it: only other symbols set it"),
            (
                "# CONFIG_CORE is not set",
                "",
                "CONFIG_CORE=y\nCONFIG_DISK=m",
                "coerced; came out as y: nobody can choose it: only other symbols set it; it is selected by CONFIG_DISK",
            ),
            (
                "# CONFIG_SHY is not set",
                "",
                "CONFIG_SHY=y",
                "coerced; came out as y: it can be chosen only if `EXPERT`, and EXPERT is n",
            ),
            (
                "CONFIG_FAIR=y",
                "",
                "CONFIG_FIFO=y",
                "coerced; came out as n: it is one of a choice, in which CONFIG_FIFO is set",
            ),
            ("CONFIG_COUNT=9", "", "CONFIG_COUNT=8", "coerced; came out as 8: its range is 2 8"),
        ] {
            assert_eq!(judged(asked, base, config), want, "{asked}");
        }
    }

    #[test]
    fn layers_upon_layers() {
        let layers = [
            layer("a", "CONFIG_BUS=y\nCONFIG_DISK=y", "CONFIG_BUS=y\nCONFIG_DISK=y"),
            layer("b", "\n# CONFIG_BUS is not set", ""),
        ];
        let waivers = BTreeMap::from([("DISK".to_owned(), "known".to_owned()), ("BUS".to_owned(), "idle".to_owned())]);
        let found = judge(&Config::default(), &layers, &kconfig(), &waivers);
        assert_eq!(found[0].verdict, Verdict::Overridden("b".to_owned(), 2));
        let reasons = ["it depends on `BUS`, and BUS is n", "it was so until b"].map(str::to_owned).to_vec();
        assert_eq!(found[1].verdict, Verdict::Coerced("n".to_owned(), reasons));
        assert_eq!(found[2].verdict, Verdict::Kept);
        let waived: Vec<_> = found.iter().map(|finding| finding.waived.as_deref()).collect();
        assert_eq!(waived, [None, Some("known"), None]);
        assert_eq!(found[0].verdict.why("BUS").as_deref(), Some("b:2 sets it otherwise"));
    }
}
