//! A kernel's arguments, judged: which do nothing, which are no arguments, which Talos insists on.
//!
//! Source: Documentation/admin-guide/kernel-parameters.txt of Linux 6.12; for what is required, `pkg/kernel/kspp` of
//! Talos, whose boot fails without it.

/// The longest command line of x86, `COMMAND_LINE_SIZE`, less the byte that ends it.
const LONGEST: usize = 2047;

/// What Talos does not start without.
const REQUIRED: [&str; 2] = ["slab_nomerge", "pti=on"];

/// How the names of sysctls start that one may take for arguments.
const SYSCTLS: [&str; 8] = ["fs.", "kernel.", "net.core.", "net.ipv4.", "net.ipv6.", "net.netfilter.", "user.", "vm."];

/// An argument that does nothing: its name, whether a value is refused, and what is to be done.
type Idle = (&'static str, fn(&str) -> bool, &'static str);

const IDLE: [Idle; 3] = [
    ("amd_iommu", |value| value == "on", "there is no such value: AMD's IOMMU is on by itself; drop it"),
    ("cpufreq.governor", |_| true, "there is no such argument; write `cpufreq.default_governor=…`"),
    (
        "numa_balancing",
        |value| !["enable", "disable"].contains(&value),
        "the kernel can't read that value; write `numa_balancing=enable` or `=disable`",
    ),
];

/// What is wrong with a command line: the place of the argument, if it is one, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which argument, from 0; nothing of the whole.
    pub at: Option<usize>,
    /// What is wrong.
    pub title: String,
    /// What to do.
    pub help: String,
}

/// Every mistake of a command line that is not empty.
#[must_use]
pub fn mistakes(arguments: &[String]) -> Vec<Mistake> {
    if arguments.is_empty() {
        return Vec::new();
    }
    let own = arguments.iter().enumerate().filter_map(|(at, argument)| {
        let (title, help) = mistake(argument)?;
        Some(Mistake { at: Some(at), title, help })
    });
    let missing = REQUIRED.iter().filter(|required| !arguments.iter().any(|argument| argument == *required));
    let missing = missing.map(|required| Mistake {
        at: None,
        title: format!("the command line has no `{required}`"),
        help: "add it: Talos does not start without".to_owned(),
    });
    let length = arguments.iter().map(String::len).sum::<usize>() + arguments.len() - 1;
    let long = (length > LONGEST).then(|| Mistake {
        at: None,
        title: format!("the command line has {length} bytes, and the kernel reads {LONGEST}"),
        help: "leave out what does nothing".to_owned(),
    });
    own.chain(missing).chain(long).collect()
}

/// What is worth saying of arguments that are right.
#[must_use]
pub fn remarks(arguments: &[String]) -> Vec<String> {
    let reserved = arguments.iter().find(|argument| argument.starts_with("hugepages="));
    let remark = |argument: &String| {
        format!(
            "{argument}: the EFI stub turns the random place of the kernel off for it; the sysctl vm.nr_hugepages does not"
        )
    };
    reserved.map(remark).into_iter().collect()
}

fn mistake(argument: &str) -> Option<(String, String)> {
    let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
    if argument.is_empty() || argument.contains(char::is_whitespace) {
        let title = format!("`{}` is not one argument", argument.escape_debug());
        return Some((title, "write each argument as an item of its own".to_owned()));
    }
    if SYSCTLS.iter().any(|start| name.starts_with(start)) {
        let help = format!("put `{name}` among the sysctls of the machine's configuration");
        return Some((format!("`{name}` is a sysctl and no argument: the kernel passes over it"), help));
    }
    let (_, _, help) = IDLE.iter().find(|(idle, refuses, _)| *idle == name && refuses(value))?;
    Some((format!("`{argument}` does nothing"), (*help).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn mistakes_are_found_and_their_neighbours_are_not() {
        for (words, at, part) in [
            ("slab_nomerge pti=on vm.swappiness=1", Some(2), "`vm.swappiness` is a sysctl"),
            ("slab_nomerge pti=on net.core.rmem_max=1", Some(2), "`net.core.rmem_max` is a sysctl"),
            ("amd_iommu=on slab_nomerge pti=on", Some(0), "`amd_iommu=on` does nothing"),
            ("slab_nomerge pti=on numa_balancing=1", Some(2), "`numa_balancing=1` does nothing"),
            ("slab_nomerge pti=on cpufreq.governor=performance", Some(2), "`cpufreq.governor=performance`"),
            ("slab_nomerge", None, "no `pti=on`"),
            ("pti=on", None, "no `slab_nomerge`"),
        ] {
            let found = mistakes(&line(words));
            assert!(found.len() == 1 && found[0].at == at && found[0].title.contains(part), "{words}: {found:?}");
        }
        let good = "slab_nomerge pti=on amd_iommu=off numa_balancing=enable cpufreq.default_governor=performance \
                    net.ifnames=0 sysctl.vm.swappiness=1 iommu=pt";
        assert_eq!(mistakes(&line(good)), []);
        assert_eq!(mistakes(&[]), []);
    }

    #[test]
    fn arguments_of_several_words_and_too_many() {
        let mut long = line("slab_nomerge pti=on");
        long.push("a b".to_owned());
        assert_eq!(mistakes(&long)[0].title, "`a b` is not one argument");
        long[2] = "x".repeat(LONGEST - "slab_nomerge pti=on ".len());
        assert_eq!(mistakes(&long), []);
        long[2].push('x');
        assert_eq!(mistakes(&long)[0].title, "the command line has 2048 bytes, and the kernel reads 2047");
    }

    #[test]
    fn what_is_said_of_reserved_pages() {
        assert!(remarks(&line("hugepagesz=2M hugepages=50000"))[0].starts_with("hugepages=50000: the EFI stub"));
        assert_eq!(remarks(&line("hugepagesz=2M")), [""; 0]);
    }
}
