//! What must hold between arguments.

use super::argument::Argument;
use super::kind::quoted;
use super::mistake::{At, Mistake};
use super::value::{port, ports};
use super::{Line, Program, Value, Wanted, table};

/// From this line on the validator refuses accounts and snapshots in one folder.
const FOLDERS_APART: Line = Line::new(2, 1);

/// What the test validator listens on where it is not told.
const TEST_PORTS: [(&str, u16); 2] = [("faucet-port", 9900), ("rpc-port", 8899)];

/// The mistakes that two arguments make together, or one that is not there; `known` are those with a row.
pub(super) fn broken(
    program: Program,
    line: Line,
    wanted: &[Wanted<'_>],
    known: &[(usize, &Argument)],
) -> Vec<Mistake> {
    let list = List { program, wanted };
    let mut mistakes = list.missing(line);
    for (place, row) in known.iter().filter(|(place, _)| wanted[*place].value != Value::Off) {
        mistakes.extend(list.alone(*place, row));
        mistakes.extend(list.together(*place, row));
    }
    mistakes.extend(list.ports());
    mistakes.extend(list.same_port());
    if line >= FOLDERS_APART && program == Program::Validator {
        mistakes.extend(list.same_folder());
    }
    mistakes
}

/// The arguments that stand in the list.
struct List<'a> {
    program: Program,
    wanted: &'a [Wanted<'a>],
}

impl<'a> List<'a> {
    fn place(&self, name: &str) -> Option<usize> {
        self.wanted.iter().position(|one| one.name == name && one.value != Value::Off)
    }

    fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// The values of an argument, and its place.
    fn texts(&self, name: &str) -> Option<(usize, &'a [String])> {
        let place = self.place(name)?;
        match &self.wanted[place].value {
            Value::Texts(texts) => Some((place, texts)),
            Value::On | Value::Off => None,
        }
    }

    fn first(&self, name: &str) -> Option<(usize, &'a str)> {
        self.texts(name).and_then(|(place, texts)| Some((place, texts.first()?.as_str())))
    }

    fn missing(&self, line: Line) -> Vec<Mistake> {
        let gone = table::required(self.program).iter().filter(|(name, _)| !self.has(name));
        let mistake = |(name, help): &(&str, &str)| {
            Mistake::new(At::List, format!("{} {line} needs `{name}`", self.program.name(line)), *help)
        };
        gone.map(mistake).collect()
    }

    /// An argument without those that it requires.
    fn alone(&self, place: usize, row: &Argument) -> Option<Mistake> {
        let gone: Vec<&str> = row.requires.iter().copied().filter(|name| !self.has(name)).collect();
        let title = format!("`{}` requires {}", row.name, quoted(&gone));
        (!gone.is_empty()).then(|| Mistake::new(At::Name(place), title, format!("add {}", quoted(&gone))))
    }

    /// An argument with one that excludes it.
    fn together(&self, place: usize, row: &Argument) -> Option<Mistake> {
        let other = row.conflicts.iter().find_map(|name| self.place(name))?;
        let title = format!("`{}` and `{}` exclude each other", row.name, self.wanted[other].name);
        Some(Mistake::new(At::Name(place), title, "drop one of them").also(other))
    }

    /// The ports that the program listens on by number: argument, its place, what it is for, number.
    fn fixed_ports(&self) -> Vec<(&'static str, Option<usize>, &'static str, u16)> {
        let written = |name: &str| self.first(name).and_then(|(place, text)| Some((Some(place), port(text)?)));
        let default = |name: &str| {
            let test = TEST_PORTS.iter().find(|(of, _)| self.program == Program::TestValidator && *of == name);
            test.map(|(_, port)| (None, *port))
        };
        let mut found = Vec::new();
        for name in ["faucet-port", "rpc-port"] {
            let Some((place, port)) = written(name).or_else(|| default(name)) else { continue };
            found.push((name, place, "", port));
            if name == "rpc-port" {
                found.push((name, place, " plus one, for WebSockets,", port.saturating_add(1)));
            }
        }
        found
    }

    /// A fixed port among those that are for anything.
    fn ports(&self) -> Vec<Mistake> {
        let Some((range, (first, end))) =
            self.first("dynamic-port-range").and_then(|(place, text)| Some((place, ports(text)?)))
        else {
            return Vec::new();
        };
        let mut mistakes = Vec::new();
        for (name, place, what, port) in self.fixed_ports() {
            if (first..end).contains(&port) && mistakes.iter().all(|(told, _)| *told != name) {
                let title = format!("`{name}`{what} is {port}, which `dynamic-port-range` {first}-{end} has too");
                let at = At::Value(place.unwrap_or(range), 0);
                let mistake = Mistake::new(at, title, "any service takes any port of the range: move one of them");
                mistakes.push((name, if place.is_some() { mistake.also(range) } else { mistake }));
            }
        }
        mistakes.into_iter().map(|(_, mistake)| mistake).collect()
    }

    /// Gossip may stand in the range, as it takes its port first, but not where RPC is.
    fn same_port(&self) -> Option<Mistake> {
        let (place, gossip) = self.first("gossip-port").and_then(|(place, text)| Some((place, port(text)?)))?;
        let (name, other, what, _) = self.fixed_ports().into_iter().find(|(_, _, _, port)| *port == gossip)?;
        let title = format!("`gossip-port` and `{name}`{what} are both {gossip}");
        let mistake = Mistake::new(At::Value(place, 0), title, "move one of them");
        Some(match other {
            Some(other) => mistake.also(other),
            None => mistake,
        })
    }

    /// Both folders have a folder `snapshots` in them.
    fn same_folder(&self) -> Option<Mistake> {
        let (place, accounts) = self.texts("accounts")?;
        let (other, snapshots) = self.first("snapshots").or_else(|| self.first("ledger"))?;
        let bare = |path: &str| path.trim_end_matches('/').to_owned();
        let nth = accounts.iter().position(|paths| paths.split(',').any(|path| bare(path) == bare(snapshots)))?;
        let title = format!("`accounts` and `{}` are both `{snapshots}`", self.wanted[other].name);
        let help = "give each a folder of its own: in both the program makes one named `snapshots`";
        Some(Mistake::new(At::Value(place, nth), title, help).also(other))
    }
}
