//! Lines that no fragment may have, as they harm, do nothing, or are not the fragment's to say.
//!
//! A waiver of the recipe lets one pass, but for what the recipe's own fields say.

use super::fragment::{NO, Request};

/// The threads of the largest processor that is planned for: an EPYC 9654 with 96 cores.
const THREADS: u32 = 192;

/// A refused line.
struct Refusal {
    symbols: &'static [&'static str],
    /// Whether a value is refused.
    refuses: fn(&str) -> bool,
    why: &'static str,
    /// Whether a waiver can let it pass.
    waivable: bool,
}

const REFUSALS: [Refusal; 8] = [
    Refusal {
        symbols: &["NR_CPUS"],
        refuses: |value| value.parse().is_ok_and(|count: u32| count < THREADS),
        why: "the kernel would see only so many threads, and the target's processor has 192; leave it out, or ask for more",
        waivable: true,
    },
    Refusal {
        symbols: &["IO_WQ"],
        refuses: |_| true,
        why: "nobody can choose it, so the line does nothing: IO_URING brings it; ask for CONFIG_IO_URING",
        waivable: true,
    },
    Refusal {
        symbols: &["CRYPTO_SHA256_SSSE3", "CRYPTO_SHA512_SSSE3"],
        refuses: |value| value != NO,
        why: "only the kernel's own cryptography uses it, and Agave hashes by itself; Linux 6.18 has it no more",
        waivable: true,
    },
    Refusal {
        symbols: &["RANDSTRUCT_FULL", "RANDSTRUCT_PERFORMANCE"],
        refuses: |value| value != NO,
        why: "the layout would come from a random seed, so no two builds would be the same",
        waivable: false,
    },
    Refusal {
        symbols: &["GCC_PLUGIN_LATENT_ENTROPY"],
        refuses: |value| value != NO,
        why: "its constants come from a random seed, so no two builds would be the same; with a fixed one they are no secret",
        waivable: false,
    },
    Refusal {
        symbols: &["LOCALVERSION"],
        refuses: |_| true,
        why: "the recipe's `localversion` says so",
        waivable: false,
    },
    Refusal {
        symbols: &["SYSTEM_TRUSTED_KEYS"],
        refuses: |_| true,
        why: "the recipe's `certificate` says so",
        waivable: false,
    },
    Refusal {
        symbols: &["BUILD_SALT", "LOCALVERSION_AUTO", "MODULE_SIG_ALL", "MODULE_SIG_KEY"],
        refuses: |_| true,
        why: "forge sets it itself: no key, no salt and no commit takes part in a build",
        waivable: false,
    },
];

/// Why a line is refused, and whether a waiver can let it pass; nothing of a good line.
#[must_use]
pub fn refused(request: &Request) -> Option<(&'static str, bool)> {
    let is =
        |refusal: &&Refusal| refusal.symbols.contains(&request.symbol.as_str()) && (refusal.refuses)(&request.value);
    REFUSALS.iter().find(is).map(|refusal| (refusal.why, refusal.waivable))
}

#[cfg(test)]
mod tests {
    use super::super::fragment::read;
    use super::*;

    #[test]
    fn lines_that_are_refused_and_their_neighbours() {
        for (line, words) in [
            ("CONFIG_NR_CPUS=128", Some("has 192")),
            ("CONFIG_NR_CPUS=512", None),
            ("CONFIG_IO_WQ=y", Some("ask for CONFIG_IO_URING")),
            ("CONFIG_IO_URING=y", None),
            ("CONFIG_CRYPTO_SHA256_SSSE3=y", Some("Agave hashes by itself")),
            ("CONFIG_CRYPTO_SHA512_SSSE3=m", Some("Linux 6.18")),
            ("# CONFIG_CRYPTO_SHA512_SSSE3 is not set", None),
            ("CONFIG_RANDSTRUCT_FULL=y", Some("random seed")),
            ("CONFIG_RANDSTRUCT_NONE=y", None),
            ("CONFIG_GCC_PLUGIN_LATENT_ENTROPY=y", Some("no secret")),
            ("CONFIG_MODULE_SIG_KEY=\"certs/signing_key.pem\"", Some("no key")),
            ("CONFIG_LOCALVERSION=\"-x\"", Some("`localversion`")),
            ("CONFIG_SYSTEM_TRUSTED_KEYS=\"\"", Some("`certificate`")),
        ] {
            let request = &read(line).expect("a line")[0];
            match (refused(request), words) {
                (Some((why, _)), Some(words)) => assert!(why.contains(words), "{line}: {why}"),
                (found, words) => assert_eq!(found.map(|(why, _)| why), words, "{line}"),
            }
        }
    }
}
