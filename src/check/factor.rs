//! The factors of a world that `forge check` varies: one table.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::build::command::Conditions;
use crate::derivation::{Derivation, Run};
use crate::plan::WORLD;
use crate::sandbox::{Entries, Features, Scratch};
use crate::store::Output;

/// One fact that a command can read off its world and its inputs do not tell. Where several could
/// be to blame, those that come first are suspected first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    /// How many processors.
    Cpus,
    /// What time it is.
    Clock,
    /// In which order a directory's entries are read.
    Order,
    /// What `/build` lies on.
    Tmpfs,
    /// What the processor can do.
    Features,
    /// The release of the kernel.
    Kernel,
    /// The host's name.
    Hostname,
    /// The user's and the group's number.
    Uid,
    /// The bits that new files lack.
    Umask,
    /// Where programs and their memory lie.
    Aslr,
    /// `TZ`.
    Timezone,
    /// `LC_ALL`.
    Locale,
}

/// Factors, in the order of their table.
pub type Factors = BTreeSet<Factor>;

/// What a factor is called, what is done to it, and what helps.
struct Entry {
    word: &'static str,
    change: &'static str,
    held: bool,
    advice: &'static str,
}

/// Another year, month, day of the month and of the week, hour, minute and second.
const AHEAD: Duration = Duration::from_secs(400 * 24 * 3600 + 7 * 3600 + 13 * 60 + 11);

/// In the order of [`Factor`].
const TABLE: [Entry; 12] = [
    Entry {
        word: "cpus",
        change: "one processor and one job in place of all",
        held: false,
        advice: "give the tool a fixed number of threads where the result depends on it (xz -T1, zstd -T1, `-j1`), or \
                 mend the race: what runs side by side must not add to one file in the order in which it ends",
    },
    Entry {
        word: "clock",
        change: "a clock 400 days ahead",
        held: false,
        advice: "take SOURCE_DATE_EPOCH, which every step has, in place of the clock (date -d @$SOURCE_DATE_EPOCH, \
                 tar --mtime=@$SOURCE_DATE_EPOCH, gzip -n; for the kernel KBUILD_BUILD_TIMESTAMP)",
    },
    Entry {
        word: "order",
        change: "folders that list backwards",
        held: false,
        advice: "sort what is read from a folder (tar --sort=name, `find … | LC_ALL=C sort`, $(sort $(wildcard …)), \
                 sorted(os.listdir()))",
    },
    Entry {
        word: "tmpfs",
        change: "/build in memory in place of on a disk",
        held: false,
        advice: "find what records sizes of folders, free space, inodes or the kind of file system (du, df, stat), or \
                 lists a folder without sorting",
    },
    Entry {
        word: "features",
        change: "a plain x86-64-v3 processor",
        held: false,
        advice: "name the processor that the result is for (-march=x86-64-v3, -C target-cpu=x86-64-v3, GOAMD64=v3), \
                 never `native`; what is tuned to the processor at hand must not reach the result",
    },
    Entry {
        word: "kernel",
        change: "`uname -r` says 2.6 (UNAME26)",
        held: false,
        advice: "find what runs `uname -r` or uname(2) and give it the release instead (for a kernel module KVER=…, \
                 for configure --host and --build); a result must not record the kernel that it was built on",
    },
    Entry {
        word: "hostname",
        change: "another host name",
        held: true,
        advice: "find what calls hostname(1), gethostname(2) or `uname -n` and set what it writes (for the kernel \
                 KBUILD_BUILD_HOST)",
    },
    Entry {
        word: "uid",
        change: "another user and group",
        held: true,
        advice: "write fixed owners (tar --owner=0 --group=0 --numeric-owner, cpio --owner=0:0; for the kernel \
                 KBUILD_BUILD_USER), and let nothing depend on `id`",
    },
    Entry {
        word: "umask",
        change: "umask 077 in place of 022",
        held: true,
        advice: "set modes where they are written down (install -m 644, tar --mode=u+rwX,go=rX, `umask 022` first)",
    },
    Entry {
        word: "aslr",
        change: "random addresses in place of fixed ones",
        held: true,
        advice: "find what prints or sorts by addresses or pointers, or iterates over a hash table that is keyed by \
                 them; sort by name instead",
    },
    Entry {
        word: "timezone",
        change: "TZ five hours and three quarters east of UTC",
        held: true,
        advice: "print times in UTC (`date -u`, `TZ=UTC` for the command, gmtime in place of localtime)",
    },
    Entry {
        word: "locale",
        change: "LC_ALL=C in place of C.UTF-8",
        held: true,
        advice: "give the tool its encoding or locale (`LC_ALL=C.UTF-8` for the command, encoding=\"utf-8\" in Python)",
    },
];

impl Factor {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Cpus,
        Self::Clock,
        Self::Order,
        Self::Tmpfs,
        Self::Features,
        Self::Kernel,
        Self::Hostname,
        Self::Uid,
        Self::Umask,
        Self::Aslr,
        Self::Timezone,
        Self::Locale,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.entry().word
    }

    /// What the rebuild meets in place of what a build meets.
    #[must_use]
    pub fn change(self) -> &'static str {
        self.entry().change
    }

    /// What to do about a command that depends on it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.entry().advice
    }

    /// Whether every build of forge meets the same, so that only builds elsewhere come out differently.
    #[must_use]
    pub fn held(self) -> bool {
        self.entry().held
    }

    /// The factor of that name.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.word() == word)
    }

    /// Whether it can make a difference to a step: forge's own functions see nothing of the world
    /// but the number of threads that they are given.
    #[must_use]
    pub fn concerns(self, derivation: &Derivation) -> bool {
        match derivation {
            Derivation::Run(run) => self.variable().is_none_or(|(name, _)| is_ours(run, name)),
            Derivation::Assemble(_) => self == Self::Cpus,
            Derivation::Fetch(_) | Derivation::FetchGit { .. } => false,
        }
    }

    fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    /// Why it can't be varied on a host with so many processors, if so.
    #[must_use]
    pub fn hindrance(self, processors: usize) -> Option<&'static str> {
        match self {
            Self::Cpus if processors < 2 => Some("this host has one processor"),
            Self::Clock | Self::Order | Self::Features if cfg!(not(target_arch = "x86_64")) => {
                Some("only on x86-64 can forge show another one")
            }
            _ => None,
        }
    }

    /// The variable that it changes, and to what.
    fn variable(self) -> Option<(&'static str, &'static str)> {
        match self {
            // Needs no time zone data, and is no whole number of hours.
            Self::Timezone => Some(("TZ", "FORGE-5:45")),
            Self::Locale => Some(("LC_ALL", "C")),
            _ => None,
        }
    }

    fn apply(self, conditions: &mut Conditions) {
        let world = &mut conditions.world;
        match self {
            Self::Cpus => {
                world.cpus = Some(1);
                conditions.jobs = Some(1);
            }
            Self::Clock => world.clock = AHEAD,
            Self::Order => world.entries = Entries::Reversed,
            Self::Tmpfs => world.scratch = Scratch::Memory,
            Self::Features => world.features = Features::Baseline,
            Self::Kernel => world.uname26 = true,
            Self::Hostname => "elsewhere".clone_into(&mut world.host_name),
            Self::Uid => (world.uid, world.gid) = (4321, 8765),
            Self::Umask => world.umask = 0o077,
            Self::Aslr => world.aslr = true,
            Self::Timezone | Self::Locale => {}
        }
        let variable = self.variable().map(|(name, value)| (name.to_owned(), value.to_owned()));
        conditions.env.extend(variable);
    }
}

/// A build's conditions with `factors` changed.
#[must_use]
pub fn conditions(factors: &Factors) -> Conditions {
    let mut conditions = Conditions::default();
    factors.iter().for_each(|factor| factor.apply(&mut conditions));
    conditions
}

/// Whether a variable has the value of forge's world; one that a recipe sets is an input and stays.
fn is_ours(run: &Run<Output>, name: &str) -> bool {
    let ours = WORLD.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    run.env.get(name).map(String::as_str) == ours
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::derivation::Assemble;
    use crate::digest::Digest;
    use crate::path::Name;
    use crate::store::Blob;

    fn tree() -> Output {
        Output::Tree(Blob { digest: Digest::of(b"tree"), size: 4 })
    }

    fn run(env: &[(&str, &str)]) -> Derivation {
        let own = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let world = WORLD.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Derivation::Run(Run {
            root: tree(),
            sources: BTreeMap::new(),
            deps: BTreeMap::new(),
            argv: vec!["true".to_owned()],
            env: world.chain(own).collect(),
            outputs: vec![Name::new("out").expect("a name")],
            profile: crate::sandbox::Profile::Build,
            service: None,
        })
    }

    #[test]
    fn the_table_is_in_order() {
        let words: Vec<_> = Factor::ALL.map(Factor::word).into();
        assert_eq!(
            words,
            [
                "cpus", "clock", "order", "tmpfs", "features", "kernel", "hostname", "uid", "umask", "aslr",
                "timezone", "locale"
            ]
        );
        assert!(Factor::ALL.is_sorted() && Factor::ALL.iter().all(|factor| Factor::of(factor.word()) == Some(*factor)));
    }

    #[test]
    fn each_changes_something_else() {
        let plain = format!("{:?}", conditions(&Factors::new()));
        let changed: BTreeSet<_> =
            Factor::ALL.iter().map(|factor| format!("{:?}", conditions(&Factors::from([*factor])))).collect();
        assert!(changed.len() == Factor::ALL.len() && !changed.contains(&plain), "{changed:#?}");
    }

    #[test]
    fn what_a_recipe_sets_is_an_input() {
        let concerned = |derivation: &Derivation| {
            Factor::ALL.into_iter().filter(|factor| factor.concerns(derivation)).map(Factor::word).collect::<Vec<_>>()
        };
        assert_eq!(concerned(&run(&[])).len(), Factor::ALL.len());
        let own = concerned(&run(&[("TZ", "Europe/Zurich"), ("LC_ALL", "de_CH.UTF-8")]));
        assert!(!own.contains(&"timezone") && !own.contains(&"locale") && own.contains(&"uid"), "{own:?}");
        let unpack = Derivation::Assemble(Assemble::Unpack { archive: tree(), strip: 1 });
        assert_eq!(concerned(&unpack), ["cpus"]);
    }
}
