# What CI runs: format, lints, dependencies' licences and advisories, all tests.
check: lint deny test

# The README's test command.
test:
    cargo test

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

deny:
    cargo deny --offline check bans licenses sources

# Race forge against its peers: ratios in one run. `bench/install.sh` installs the peers.
race *ARGS:
    cargo build --release --examples --bin forge
    python3 bench/race.py {{ARGS}}

# Feed each fuzz target SECONDS of generated input; tests/fuzz/run.rs says how to repeat a failure.
fuzz SECONDS="60":
    FUZZ_SECONDS={{SECONDS}} cargo test --test main fuzz:: -- --nocapture

# Long suites: everything `check` does, in release mode, with all recipes built twice and compared.
full: check
    cargo run --release -- build --keep-going
