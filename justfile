# What CI runs: format, lints, dependencies' licences and sources, all tests.
check: lint deny test

# The README's test command.
test:
    cargo test

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

deny:
    cargo deny check bans licenses sources

# Race forge against its peers: ratios in one run. `bench/install.sh` installs the peers.
race *ARGS:
    cargo build --release --examples --bin forge
    python3 bench/race.py {{ARGS}}

# Feed each fuzz target SECONDS of generated input; tests/fuzz/run.rs says how to repeat a failure.
fuzz SECONDS="60":
    FUZZ_SECONDS={{SECONDS}} cargo test --test main fuzz:: -- --nocapture

# Everything: `check`, then every default unit built again over its cached result, and an hour of fuzzing.
full: check
    cargo run --release -- build --rebuild --keep-going
    FUZZ_SECONDS=300 cargo test --test main fuzz:: -- --nocapture
