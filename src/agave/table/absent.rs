//! Names that no version of a program has, though people write them, and what to do instead.

use super::Program;

/// Of the validator.
const VALIDATOR: &[(&str, &str)] = &[
    ("accounts-db-skip-initial-hash-calc", "leave it out: it is a field inside the program that no argument sets"),
    ("advertised-ip", "use `bind-address`: only the test validator has it"),
    ("rpc-max-requests-per-second", "leave it out: what stands before the node must limit rates"),
    ("rpc-pubsub-port", "leave it out: it is one above `rpc-port`"),
    ("voting", "leave it out: a node votes unless `no-voting` says otherwise"),
];

/// Of the test validator, which the validator has.
const TEST_VALIDATOR: &[(&str, &str)] = &[
    ("identity", "leave it out: it makes a key of its own"),
    ("no-voting", "leave it out: it is the only node, so it votes"),
    ("rpc-bind-address", "use `bind-address`"),
];

/// Old names, which the programs take in place of the new ones.
const OLD: &[(&str, &str)] = &[
    ("accountsdb-plugin-config", "use `geyser-plugin-config`"),
    ("max-compute-units", "use `compute-unit-limit`"),
    ("maximum-snapshots-to-retain", "use `maximum-full-snapshots-to-retain`"),
    ("no-untrusted-rpc", "use `only-known-rpc`"),
    ("snapshot-compression", "use `snapshot-archive-format`"),
    ("tpu-host-addr", "use `public-tpu-address`"),
    ("trusted-validator", "use `known-validator`"),
    ("tvu-host-addr", "use `public-tvu-address`"),
];

/// What to do instead of writing `name`, which the table does not have.
pub(in crate::agave) fn advice(program: Program, name: &str) -> Option<&'static str> {
    let own = match program {
        Program::Validator => VALIDATOR,
        Program::TestValidator => TEST_VALIDATOR,
    };
    own.iter().chain(OLD).find(|(absent, _)| *absent == name).map(|(_, advice)| *advice)
}
