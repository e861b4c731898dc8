//! The ledger, its snapshots, and how a node starts from them.

use crate::agave::argument::{Argument, arg};
use crate::agave::kind::Kind::{Decimal, Hash, HostPort, Key, Path, Signed, Switch, Text, Whole, Words};
use crate::agave::kind::{COUNT, MAX, NUMBER};

pub(super) const ROWS: &[Argument] = &[
    arg("dev-halt-at-slot", NUMBER).deprecated(3, 1, "leave it out").gone(4, 0),
    arg("do-not-require-vote-history", Switch).since(4, 2),
    arg("etcd-cacert-file", Path).deprecated(2, 2, "leave it out: the tower is always a file").gone(3, 0),
    arg("etcd-cert-file", Path).deprecated(2, 2, "leave it out: the tower is always a file").gone(3, 0),
    arg("etcd-domain-name", Text).deprecated(2, 2, "leave it out: the tower is always a file").gone(3, 0),
    arg("etcd-endpoint", HostPort).many().deprecated(2, 2, "leave it out: the tower is always a file").gone(3, 0),
    arg("etcd-key-file", Path).deprecated(2, 2, "leave it out: the tower is always a file").gone(3, 0),
    arg("expected-bank-hash", Hash),
    arg("expected-genesis-hash", Hash),
    arg("expected-shred-version", Whole(0, 65_535)),
    arg("full-snapshot-archive-path", Path).since(2, 0),
    arg("full-snapshot-interval-slots", NUMBER).before(3, 0),
    arg("full-snapshot-interval-slots", Whole(1, MAX)).since(3, 0),
    arg("hard-fork", NUMBER).many(),
    arg("incremental-snapshot-archive-path", Path),
    arg("incremental-snapshot-interval-slots", NUMBER).removed(2, 0, "use `snapshot-interval-slots`"),
    arg("incremental-snapshots", Switch)
        .deprecated(1, 18, "leave it out: it is so unless `no-incremental-snapshots` says otherwise")
        .gone(2, 0),
    arg("init-complete-file", Path),
    arg("ledger", Path),
    arg("limit-blockstore-size", Whole(100_000_000, MAX)).optional().since(4, 3),
    arg("limit-ledger-size", Whole(50_000_000, MAX)).optional().deprecated(
        4,
        3,
        "use `limit-blockstore-size`; it counts coding shreds too, so double the number",
    ),
    arg("max-genesis-archive-unpacked-size", NUMBER),
    arg("maximum-full-snapshots-to-retain", Whole(1, MAX)),
    arg("maximum-incremental-snapshots-to-retain", Whole(1, MAX)),
    arg("maximum-local-snapshot-age", NUMBER),
    arg("maximum-snapshot-download-abort", NUMBER),
    arg("minimal-snapshot-download-speed", Decimal),
    arg("no-genesis-fetch", Switch),
    arg("no-incremental-snapshots", Switch),
    arg("no-rocksdb-compaction", Switch).deprecated(1, 18, "leave it out: it does nothing any more").gone(3, 0),
    arg("no-snapshot-fetch", Switch),
    arg("no-snapshots", Switch).since(2, 3).conflicts(&[
        "no-incremental-snapshots",
        "snapshot-interval-slots",
        "full-snapshot-interval-slots",
    ]),
    arg("process-ledger-before-services", Switch),
    arg("require-tower", Switch),
    arg("rocksdb-compaction-interval-slots", Text)
        .deprecated(1, 18, "leave it out: it does nothing any more")
        .gone(3, 0),
    arg("rocksdb-compaction-threads", COUNT).since(2, 2).removed(4, 0, "leave it out"),
    arg("rocksdb-fifo-shred-storage-size", NUMBER)
        .deprecated(2, 2, "leave it out: compaction is by levels only")
        .gone(3, 0),
    arg("rocksdb-flush-threads", COUNT).since(2, 2).removed(4, 0, "leave it out"),
    arg("rocksdb-ledger-compression", Words(&["none", "lz4", "snappy", "zlib"])),
    arg("rocksdb-max-compaction-jitter-slots", Text)
        .deprecated(1, 18, "leave it out: it does nothing any more")
        .gone(3, 0),
    arg("rocksdb-perf-sample-interval", NUMBER),
    arg("rocksdb-shred-compaction", Words(&["level", "fifo"])).before(2, 1),
    arg("rocksdb-shred-compaction", Words(&["level"])).since(2, 1),
    arg("skip-poh-verify", Switch).deprecated(1, 18, "use `skip-startup-ledger-verification`").gone(3, 0),
    arg("skip-startup-ledger-verification", Switch),
    arg("snapshot-archive-format", Words(&["zstd", "lz4"])),
    arg("snapshot-interval-slots", NUMBER).since(2, 0).before(3, 0),
    arg("snapshot-interval-slots", Whole(1, MAX)).since(3, 0),
    arg("snapshot-packager-niceness-adjustment", Signed(-128, 127)),
    arg("snapshot-version", Words(&["1.2.0"])),
    arg("snapshot-zstd-compression-level", Signed(-131_072, 22)).since(2, 1),
    arg("snapshots", Path),
    arg("tower", Path),
    arg("tower-storage", Words(&["file", "etcd"]))
        .deprecated(2, 2, "leave it out: the tower is always a file")
        .gone(3, 0),
    arg("use-snapshot-archives-at-startup", Words(&["always", "never", "when-newest"])),
    arg("wait-for-supermajority", NUMBER).requires(&["expected-bank-hash"]).before(2, 0),
    arg("wait-for-supermajority", NUMBER).since(2, 0).requires(&["expected-bank-hash", "expected-shred-version"]),
    arg("wait-to-vote-slot", NUMBER).since(4, 3),
    arg(
        "wal-recovery-mode",
        Words(&[
            "tolerate_corrupted_tail_records",
            "absolute_consistency",
            "point_in_time",
            "skip_any_corrupted_record",
        ]),
    ),
    arg("wen-restart", Path).conflicts(&["wait-for-supermajority"]).before(2, 1),
    arg("wen-restart", Path)
        .since(2, 1)
        .requires(&["wen-restart-coordinator"])
        .conflicts(&["wait-for-supermajority"])
        .removed(4, 0, "leave it out"),
    arg("wen-restart-coordinator", Key).since(2, 1).requires(&["wen-restart"]).removed(4, 0, "leave it out"),
];
