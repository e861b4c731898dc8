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

# The Agaves with their plugins and images: built, tried on their real programs, and built again in another world.
# Hours on two cores; nothing else should run beside it.
agaves:
    cargo run --release -- test agave-args-1.18 yellowstone-1.18 agave-yellowstone-1.18
    cargo run --release -- test agave-args-4.1 yellowstone-4.1 agave-yellowstone-4.1
    cargo run --release -- build agave-cli-1.18 agave-cli-4.1 agave-keygen-1.18 agave-keygen-4.1
    cargo run --release -- check agave-1.18 yellowstone-1.18 agave-4.1 yellowstone-4.1

# Everything: `check`, the Agaves, every default unit built again over its cached result, and an hour of fuzzing.
full: check agaves
    cargo run --release -- build --rebuild --keep-going
    FUZZ_SECONDS=300 cargo test --test main fuzz:: -- --nocapture
