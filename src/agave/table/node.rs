//! Who the node is, how it makes blocks, its threads and what it says.

use crate::agave::argument::{Argument, arg};
use crate::agave::kind::Kind::{Key, KeyOrPath, Path, Switch, Text, Words};
use crate::agave::kind::{COUNT, NUMBER};

pub(super) const ROWS: &[Argument] = &[
    arg("authorized-voter", Path).many().requires(&["vote-account"]),
    arg("block-production-method", Words(&["thread-local-multi-iterator", "central-scheduler"])).before(2, 0),
    arg(
        "block-production-method",
        Words(&["thread-local-multi-iterator", "central-scheduler", "central-scheduler-greedy"]),
    )
    .since(2, 0)
    .before(4, 1),
    arg("block-production-method", Words(&["central-scheduler", "central-scheduler-greedy"])).since(4, 1),
    arg("block-production-num-workers", COUNT).since(3, 0),
    arg("block-production-pacing-fill-time-millis", NUMBER).since(3, 1),
    arg("block-verification-method", Words(&["blockstore-processor", "unified-scheduler"])).before(4, 1),
    arg("block-verification-method", Words(&["unified-scheduler"])).since(4, 1),
    arg("cuda", Switch).deprecated(3, 1, "leave it out: there is no CUDA any more").gone(4, 0),
    arg("debug-key", Key).many(),
    arg("delay-leader-block-for-pending-fork", Switch).since(2, 0).removed(
        4,
        2,
        "leave it out: it is so unless `no-delay-leader-block-for-pending-fork` says otherwise",
    ),
    arg("disable-banking-trace", Switch).conflicts(&["enable-banking-trace"]).deprecated(
        4,
        3,
        "leave it out: the trace is off by default",
    ),
    arg("enable-banking-trace", NUMBER),
    arg("enable-scheduler-bindings", Switch).since(4, 0),
    arg("experimental-poh-pinned-cpu-core", NUMBER).deprecated(
        4,
        2,
        "use `poh-pinned-cpu-core`; its number counts all cores, not just those that the process may use",
    ),
    arg("experimental-replay-arenas", COUNT).since(4, 4),
    arg("filter-keys", Key).many().since(4, 1),
    arg("identity", Path),
    arg("log", Path),
    arg("log-messages-bytes-limit", NUMBER),
    arg("no-delay-leader-block-for-pending-fork", Switch).since(4, 2),
    arg("no-os-cpu-stats-reporting", Switch),
    arg("no-os-disk-stats-reporting", Switch),
    arg("no-os-memory-stats-reporting", Switch),
    arg("no-os-network-stats-reporting", Switch),
    arg("no-poh-speed-test", Switch),
    arg("no-voting", Switch),
    arg("no-wait-for-vote-to-start-leader", Switch),
    arg("partitioned-epoch-rewards-compare-calculation", Switch).removed(2, 2, "leave it out"),
    arg("partitioned-epoch-rewards-force-enable-single-slot", Switch)
        .conflicts(&["partitioned-epoch-rewards-compare-calculation"])
        .removed(2, 2, "leave it out"),
    arg("poh-hashes-per-batch", NUMBER),
    arg("poh-pinned-cpu-core", NUMBER).since(4, 2),
    arg("rayon-global-threads", COUNT).since(2, 2),
    arg("replay-forks-threads", COUNT).since(2, 0),
    arg("replay-slots-concurrently", Switch).deprecated(2, 0, "use `replay-forks-threads`").gone(3, 0),
    arg("replay-transactions-threads", COUNT).since(2, 0),
    arg("skip-seed-phrase-validation", Switch),
    arg("transaction-structure", Text)
        .since(2, 2)
        .deprecated(3, 1, "leave it out: it can't be chosen any more")
        .gone(4, 0),
    arg("unified-scheduler-handler-threads", COUNT).since(2, 0),
    arg("vote-account", KeyOrPath).requires(&["identity"]),
];
