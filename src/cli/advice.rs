//! What the author of a recipe can do about a failed step, read off what its commands said.
//!
//! A sandbox answers as the kernel does; only its user knows that it was a sandbox. So each answer
//! that comes from a wall of it is matched with the way round.

/// Words of a log, and what they call for.
const ADVICE: [(&[&str], &str); 6] = [
    (
        &[
            "Network is unreachable",
            "Temporary failure in name resolution",
            "Name or service not known",
            "Could not resolve host",
            "Connection refused",
        ],
        "steps have no network: name what they need under [sources], and run `forge lock`",
    ),
    (
        &["Read-only file system"],
        "steps can write below /build, /tmp and /out only: copy a source to /build to change it there",
    ),
    (
        &["Operation not permitted"],
        "steps have no privileges: no setuid bits, devices, mounts, other owners, ptrace or bpf",
    ),
    (&["parameter not set", "unbound variable"], "steps see no variable of yours: set it under [env] of the recipe"),
    (
        &["No such file or directory", "not found"],
        "steps see only their toolroot, /src/<name>, /deps/<name>, and what steps before them wrote (a result belongs in \
         /out/<output>): add a package, a source or a unit, or mend the path",
    ),
    (&["No space left on device"], "/tmp is small, as it is memory: write large files to /build"),
];

/// The advice that `log` calls for.
pub fn on(log: &str) -> impl Iterator<Item = &'static str> {
    let called = move |(words, _): &&(&[&str], &str)| words.iter().any(|word| log.contains(word));
    ADVICE.iter().filter(called).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wall_has_a_way_round() {
        for (log, words) in [
            ("wget: bad address: Temporary failure in name resolution", "[sources]"),
            ("bash: line 1: HOME: unbound variable", "[env]"),
            ("dd: writing to '/tmp/x': No space left on device", "/build"),
        ] {
            let advice: Vec<_> = on(log).collect();
            assert!(advice.len() == 1 && advice[0].contains(words), "{log}: {advice:?}");
        }
        assert_eq!(on("error: expected `;`").count(), 0);
    }
}
