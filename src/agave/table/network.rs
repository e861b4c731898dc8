//! Addresses, ports, peers, QUIC and XDP.

use crate::agave::argument::{Argument, arg};
use crate::agave::kind::Kind::{Cpus, Flag, Host, HostPort, Key, Path, Port, PortRange, Switch, Text, Whole};
use crate::agave::kind::{COUNT, MAX, NUMBER, NUMBER_32};

pub(super) const ROWS: &[Argument] = &[
    arg("allow-private-addr", Switch).before(4, 2),
    arg("allow-private-addr", Switch).since(4, 2).requires(&["no-xdp"]),
    arg("bind-address", Host).before(3, 0),
    arg("bind-address", Host).many().since(3, 0),
    arg("check-vote-account", Text).requires(&["entrypoint"]).conflicts(&["no-voting"]),
    arg("contact-debug-interval", NUMBER),
    arg("disable-quic-servers", Switch).deprecated(1, 18, "leave it out: QUIC can't be turned off").gone(3, 0),
    arg("dynamic-port-range", PortRange),
    arg("enable-quic-servers", Switch).deprecated(1, 18, "leave it out: QUIC is always on").gone(3, 0),
    arg("entrypoint", HostPort).many(),
    arg("experimental-retransmit-xdp-cpu-cores", Cpus).since(2, 3).deprecated(4, 1, "use `xdp-cpu-cores`").gone(4, 4),
    arg("experimental-retransmit-xdp-interface", Text)
        .since(2, 3)
        .requires(&["experimental-retransmit-xdp-cpu-cores"])
        .deprecated(4, 1, "use `xdp-interface`")
        .gone(4, 4),
    arg("experimental-retransmit-xdp-zero-copy", Switch)
        .since(2, 3)
        .requires(&["experimental-retransmit-xdp-cpu-cores"])
        .deprecated(4, 1, "use `xdp-zero-copy`")
        .gone(4, 4),
    arg("gossip-host", Host).deprecated(3, 0, "use `bind-address`").gone(4, 0),
    arg("gossip-port", Port),
    arg("gossip-validator", Key).many(),
    arg("ip-echo-server-threads", COUNT).since(2, 0),
    arg("known-validator", Key).many(),
    arg("no-check-vote-account", Switch)
        .deprecated(1, 18, "leave it out: it is so unless `check-vote-account` says otherwise")
        .gone(3, 0),
    arg("no-os-network-limits-test", Switch),
    arg("no-port-check", Switch),
    arg("no-xdp", Switch).since(4, 2),
    arg("num-quic-endpoints", Whole(1, MAX)).since(2, 1),
    arg("num-votor-endpoints", Whole(1, MAX)).since(4, 3),
    arg("public-tpu-address", HostPort),
    arg("public-tpu-forwards-address", HostPort),
    arg("public-tvu-address", HostPort).since(4, 0),
    arg("repair-validator", Key).many(),
    arg("repair-whitelist", Key).many(),
    arg("restricted-repair-only-mode", Switch),
    arg("staked-nodes-overrides", Path),
    arg("tpu-coalesce-ms", NUMBER).deprecated(3, 1, "leave it out: it does nothing any more").gone(4, 0),
    arg("tpu-connection-pool-size", NUMBER).deprecated(4, 0, "leave it out: it does not do what it says").gone(4, 3),
    arg("tpu-disable-quic", Switch).deprecated(3, 0, "leave it out: QUIC is always on").gone(4, 0),
    arg("tpu-enable-udp", Switch)
        .deprecated(3, 0, "leave it out: there is no UDP for transactions any more")
        .gone(4, 0),
    arg("tpu-max-connections-per-ipaddr-per-minute", NUMBER_32).since(2, 0),
    arg("tpu-max-connections-per-peer", NUMBER_32).since(2, 2),
    arg("tpu-max-connections-per-staked-peer", NUMBER_32).since(4, 0),
    arg("tpu-max-connections-per-unstaked-peer", NUMBER_32).since(4, 0),
    arg("tpu-max-fwd-staked-connections", NUMBER_32).since(2, 2),
    arg("tpu-max-fwd-unstaked-connections", NUMBER_32).since(2, 2),
    arg("tpu-max-staked-connections", NUMBER_32).since(2, 2),
    arg("tpu-max-streams-per-ms", NUMBER).since(2, 2),
    arg("tpu-max-unstaked-connections", NUMBER_32).since(2, 2),
    arg("tpu-sigverify-threads", COUNT).since(4, 0),
    arg("tpu-transaction-forward-receive-threads", COUNT).since(3, 0),
    arg("tpu-transaction-receive-threads", COUNT).since(3, 0),
    arg("tpu-use-quic", Switch).conflicts(&["tpu-disable-quic"]).removed(3, 0, "leave it out: QUIC is always on"),
    arg("tpu-vortexor-receiver-address", HostPort).since(3, 0).removed(4, 0, "leave it out"),
    arg("tpu-vote-transaction-receive-threads", COUNT).since(3, 0),
    arg("tvu-bls-shred-sigverify-threads", COUNT).since(4, 1),
    arg("tvu-receive-threads", COUNT).since(2, 0),
    arg("tvu-retransmit-threads", COUNT).since(2, 2),
    arg("tvu-shred-sigverify-threads", COUNT).since(2, 1),
    arg("use-connection-cache", Switch).since(2, 3).removed(4, 0, "leave it out"),
    arg("vote-use-quic", Flag).since(2, 2),
    arg("votor-peer-overrides", Key).many().since(4, 3),
    arg("xdp-cpu-cores", Cpus).since(4, 1).before(4, 2),
    arg("xdp-cpu-cores", Cpus).since(4, 2).conflicts(&["no-xdp"]),
    arg("xdp-interface", Text).since(4, 1).requires(&["xdp-cpu-cores"]).before(4, 2),
    arg("xdp-interface", Text).since(4, 2).conflicts(&["no-xdp"]),
    arg("xdp-zero-copy", Switch).since(4, 1).requires(&["xdp-cpu-cores"]).before(4, 2),
    arg("xdp-zero-copy", Switch).since(4, 2).conflicts(&["no-xdp"]),
];
