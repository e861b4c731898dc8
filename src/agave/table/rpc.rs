//! What the node answers by RPC, and what it tells plugins.

use crate::agave::argument::{Argument, arg};
use crate::agave::kind::Kind::{Flag, Host, HostPort, Path, Port, Signed, Switch, Text, Whole};
use crate::agave::kind::NUMBER;

pub(super) const ROWS: &[Argument] = &[
    arg("enable-bigtable-ledger-upload", Switch).requires(&["enable-rpc-transaction-history"]).before(3, 1),
    arg("enable-bigtable-ledger-upload", Switch).since(3, 1).before(4, 4),
    arg("enable-bigtable-ledger-upload", Switch).since(4, 4).requires(&["enable-rpc-transaction-history"]),
    arg("enable-cpi-and-log-storage", Switch).deprecated(1, 18, "use `enable-extended-tx-metadata-storage`").gone(3, 0),
    arg("enable-extended-tx-metadata-storage", Switch).requires(&["enable-rpc-transaction-history"]),
    arg("enable-rpc-bigtable-ledger-storage", Switch).requires(&["enable-rpc-transaction-history"]),
    arg("enable-rpc-obsolete_v1_7", Switch).removed(2, 0, "leave it out: those methods are gone"),
    arg("enable-rpc-transaction-history", Switch),
    arg("full-rpc-api", Switch),
    arg("geyser-plugin-always-enabled", Flag).since(2, 1).before(2, 2),
    arg("geyser-plugin-always-enabled", Switch).since(2, 2),
    arg("geyser-plugin-config", Path).many(),
    arg("health-check-slot-distance", NUMBER),
    arg("minimal-rpc-api", Switch)
        .deprecated(1, 18, "leave it out: it is so unless `full-rpc-api` says otherwise")
        .gone(3, 0),
    arg("only-known-rpc", Switch).requires(&["known-validator"]),
    arg("private-rpc", Switch),
    arg("public-rpc-address", HostPort).conflicts(&["private-rpc"]),
    arg("rpc-bigtable-app-profile-id", Text),
    arg("rpc-bigtable-instance-name", Text),
    arg("rpc-bigtable-max-message-size", NUMBER),
    arg("rpc-bigtable-timeout", NUMBER),
    arg("rpc-bind-address", Host),
    arg("rpc-blocking-threads", NUMBER).since(2, 1),
    arg("rpc-faucet-address", HostPort),
    arg("rpc-max-multiple-accounts", NUMBER),
    arg("rpc-max-request-body-size", NUMBER),
    arg("rpc-niceness-adjustment", Signed(-128, 127)),
    arg("rpc-port", Port),
    arg("rpc-pubsub-enable-block-subscription", Switch).requires(&["enable-rpc-transaction-history"]),
    arg("rpc-pubsub-enable-vote-subscription", Switch),
    arg("rpc-pubsub-max-active-subscriptions", NUMBER),
    arg("rpc-pubsub-max-connections", NUMBER).deprecated(2, 0, "leave it out: it does nothing any more").gone(3, 0),
    arg("rpc-pubsub-max-fragment-size", NUMBER).deprecated(2, 0, "leave it out: it does nothing any more").gone(3, 0),
    arg("rpc-pubsub-max-in-buffer-capacity", NUMBER)
        .deprecated(2, 0, "leave it out: it does nothing any more")
        .gone(3, 0),
    arg("rpc-pubsub-max-out-buffer-capacity", NUMBER)
        .deprecated(2, 0, "leave it out: it does nothing any more")
        .gone(3, 0),
    arg("rpc-pubsub-notification-threads", NUMBER).requires(&["full-rpc-api"]),
    arg("rpc-pubsub-queue-capacity-bytes", NUMBER),
    arg("rpc-pubsub-queue-capacity-items", NUMBER),
    arg("rpc-pubsub-worker-threads", NUMBER),
    arg("rpc-scan-and-fix-roots", Switch).requires(&["enable-rpc-transaction-history"]),
    arg("rpc-send-batch-ms", Whole(1, 100_000)),
    arg("rpc-send-batch-size", Whole(1, 10_000)),
    arg("rpc-send-default-max-retries", NUMBER),
    arg("rpc-send-leader-count", NUMBER),
    arg("rpc-send-retry-ms", NUMBER),
    arg("rpc-send-service-max-retries", NUMBER),
    arg("rpc-send-transaction-also-leader", Switch).requires(&["rpc-send-transaction-tpu-peer"]),
    arg("rpc-send-transaction-retry-pool-max-size", NUMBER).since(2, 0),
    arg("rpc-send-transaction-tpu-peer", HostPort).many(),
    arg("rpc-threads", NUMBER),
    arg("skip-preflight-health-check", Switch).since(2, 1),
];
