# What CI runs: format, lints, dependencies' licences and sources, all tests.
check: lint deny kernel test guard

# The README's test command.
test:
    cargo test

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

deny:
    cargo deny check bans licenses sources

agent := "--manifest-path recipes/xdp-guard-program/Cargo.toml --target-dir target/guard"
proof := "--manifest-path recipes/xdp-proof/Cargo.toml --target-dir target/guard"

# The file system that pins of BPF live in.
bpffs:
    mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf

# The guard of a node's ports: its agent in network namespaces, its objects against a model of them, on frames by hand and
# PACKETS random ones. As root, with clang and libbpf's headers.
guard PACKETS="1000000": bpffs
    cargo fmt --check --manifest-path recipes/xdp-guard-program/Cargo.toml
    cargo fmt --check --manifest-path recipes/xdp-proof/Cargo.toml
    cargo clippy {{agent}} --all-targets -- -D warnings
    cargo clippy {{proof}} --all-targets -- -D warnings
    cargo test {{agent}}
    cargo test {{proof}}
    cargo run -- build solana-xdp
    cargo run --release {{proof}} -- objects result/solana-xdp/solana-xdp.o result/solana-xdp/solana-tcx.o --record images/xdp-guard/proven.txt --packets {{PACKETS}}

probe := "--manifest-path recipes/boot-probe/Cargo.toml --target-dir target/guard"
forge := "FORGE_STORE=" + justfile_directory() + "/target/tmp/linux cargo run --"

# The small kernel, booted, and what becomes of every line of the full one's configuration; in the store that
# tests/kernel.rs uses.
kernel:
    cargo fmt --check --manifest-path recipes/boot-probe/Cargo.toml
    cargo clippy {{probe}} --all-targets -- -D warnings
    cargo test {{probe}}
    {{forge}} build kernel-small kernel-config
    {{forge}} boot-test kernel-small
    {{forge}} test kernel-small

# Plant mistakes in the guard, each of which the proof has to notice.
mutants CLANG="clang-16":
    cargo run --release {{proof}} -- mutants bpf/solana-xdp --clang {{CLANG}} -I /usr/include/x86_64-linux-gnu

# As root, with xdp-filter (`apt install xdp-tools`). Ends with 1 where a bar is missed, 3 where the machine is too busy.
# Race the guard against an empty program and Debian's xdp-filter: ratios in one run, and a page with a picture.
race-xdp *ARGS: bpffs
    cargo run -- build solana-xdp xdp-yardsticks
    cargo run --release {{proof}} -- race result/solana-xdp result/xdp-yardsticks --html target/guard/race.html {{ARGS}}

# As root, with two CPUs. Ends with 1 where something does not hold.
# Let the agent guard an interface in a flood, die, and be replaced, in network namespaces; and a page with a picture.
live-xdp *ARGS: bpffs
    cargo build {{agent}}
    cargo run -- build solana-xdp xdp-yardsticks
    cargo run --release {{proof}} -- live result/solana-xdp result/xdp-yardsticks --agent target/guard/debug/xdp-guard --html target/guard/live.html {{ARGS}}

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

# Everything: `check`, the Agaves, the guard in a flood, every default unit built again over its cached result, and an hour of fuzzing.
full: check agaves live-xdp
    cargo run --release -- build --rebuild --keep-going
    FUZZ_SECONDS=300 cargo test --test main fuzz:: -- --nocapture
