"""The races: what runs, against whom, and which bar holds. The table stands at the end."""

import os
import shutil
from dataclasses import dataclass

from meters import Lap, clock, memory, printed, processors
from track import CARGO_WORLD, REPOSITORY

# A published program with a hundred crates, some C among them: over a minute on two cores.
PROGRAM = ("tokei", "15.0.0")

# What apt and forge resolve: big sets with many alternatives.
WISHES = ["gcc", "clang", "lld", "llvm", "qemu-system-x86", "systemd", "postgresql"]


@dataclass(frozen=True)
class Bar:
    """What holds between two laps: mine / theirs <= most, or with `rule` "plus": mine - theirs <= most.

    A bar with no `theirs` holds the figure itself; one with no `most` only informs.
    """

    mine: str
    theirs: str
    most: float
    rule: str = "times"


@dataclass(frozen=True)
class Case:
    """A race: its laps by the meter that reads them, its bars, and the programs it needs."""

    about: str
    laps: dict
    bars: list
    needs: list


# The laps of each case.

def no_op(track, forge):
    project, graph, nix = track.project(100, 20), track.ninja(100, 20), track.nix()
    return [
        Lap("forge", [forge, "-C", project, "build"]),
        Lap("ninja", ["ninja", "-C", graph]),
        Lap("nix-build", ["nix-build", nix / "units.nix", "--arg", "count", "100", "--no-out-link"]),
    ]


def no_op_python(track, forge):
    return [
        Lap("forge", [forge, "-C", track.project(100, 20), "build"]),
        Lap("BuildStream", [bst(), "-C", track.buildstream(100, 20), "--no-interactive", "build", "all.bst"]),
    ]


def sandbox(track, forge):
    project, nix, box = track.project(100, 0), track.nix(), track.box()
    build = ["env", "FORGE_NO_SYNC=1", forge, "-C", project, "build", "-j"]
    fresh, fresh_nix = track.renew(project / "recipes" / "u*.toml"), track.renew(nix / "nonce")
    world = ["--unshare-all", "--ro-bind", box, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    count = ["--arg", "count", "100", "--no-out-link"]
    return [
        Lap("forge -j1", [*build, "1"], fresh, units=100),
        Lap("forge -j2", [*build, "2"], fresh, units=100),
        Lap("bwrap", ["bwrap", *world, "/usr/bin/true"]),
        Lap("nix-build -j2", ["nix-build", nix / "units.nix", "-j2", *count], fresh_nix, units=100),
    ]


def toolroot(track, forge):
    track.agree()
    root, store = track.root / "root", track.root / "cold-store"
    world = ["env", f"FORGE_STORE={store}", f"FORGE_MIRRORS={track.mirrors()}"]
    build = [forge, "-C", track.base(), "build", "toolroot-c"]
    extract = ["mmdebstrap", "--quiet", "--variant=extract", "--skip=cleanup/apt"]
    extract += [f"--include={','.join(track.packages())}", ""]
    clear = ["rm", "-rf", store]
    return [
        Lap("forge", [*world, *build], clear),
        Lap("forge, no sync", [*world, "FORGE_NO_SYNC=1", *build], clear),
        Lap("mmdebstrap", [*extract, root, f"deb [trusted=yes] copy://{track.debs()} ./"], ["rm", "-rf", root]),
    ]


def toolroot_again(track, forge):
    os.environ["FORGE_MIRRORS"] = str(track.mirrors())
    return [
        Lap("forge", [forge, "-C", track.base(), "build", "toolroot-c"]),
        Lap("forge --version", [forge, "--version"]),
    ]


def resolve_forge(track, forge):
    return [Lap("forge", [example(forge, "resolve"), track.index(), *WISHES])]


def resolve_apt(track, _):
    command = ["apt-get", "-c", track.apt(), "--simulate", "--yes", "--no-install-recommends", "install"]
    return [Lap("apt-get -s", [*command, *WISHES])]


def hashing(track, forge):
    tree, _ = track.tree(), track.nix()  # Without its configuration nix knows no `hash path`.
    return [Lap("forge", [example(forge, "hash_tree"), tree]), Lap("nix hash path", ["nix", "hash", "path", tree])]


def plan(track, forge):
    store = track.root / "plan-store"
    command = ["env", f"FORGE_STORE={store}", forge, "-C", track.project(1000, 10), "plan"]
    return [Lap("forge", command, ["rm", "-rf", store])]


def why(track, forge):
    command = [forge, "-C", track.project(1000, 10), "why", "u0999"]
    return [
        Lap("forge, a package", [*command, "libc6"]),
        Lap("forge, a file", [*command, "recipes/files/u0999/05.txt"]),
        Lap("forge --version", [forge, "--version"]),
    ]


def gc(track, forge):
    pristine, store = track.garbage(10_000)
    collect = ["env", f"FORGE_STORE={store}", forge, "store", "gc", "--older-than", "0"]
    nix_pristine, nix_store = track.nix_garbage(10_000)
    return [
        Lap("forge", collect, track.restore(pristine, store)),
        Lap("nix-store --gc", ["nix-store", "--gc", "--quiet"], track.restore(nix_pristine, nix_store)),
    ]


def graph(track, forge):
    project = track.forest(1000)
    draw = [forge, "-C", project, "graph", "--format"]
    return [
        Lap("forge svg", [*draw, "svg"]),
        Lap("forge html", [*draw, "html"]),
        Lap("dot", ["dot", "-Tsvg", project / "graph.dot"]),
    ]


def cargo(track, forge):
    project, source = track.crate(*PROGRAM), track.vendored(*PROGRAM)
    root, build = (project / "result" / "toolroot-rust").resolve(), track.root / "by-hand"
    world = ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--setenv", "PATH", "/usr/bin"]
    world += ["--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", source, "/src"]
    world += ["--bind", build, "/build", "--chdir", "/src"]
    world += [word for name, value in CARGO_WORLD.items() for word in ("--setenv", name, value)]
    by_hand = ["cargo", "build", "--release", "--locked", "--offline", "--target-dir", "/build/t"]
    return [
        Lap("forge", [forge, "-C", project, "build", PROGRAM[0]], track.renew(project / "recipes" / f"{PROGRAM[0]}.toml")),
        Lap("cargo by hand", [*world, *by_hand], ["sh", "-c", f"rm -rf {build}; mkdir {build}"]),
    ]


def image(track, forge):
    project, root = track.picture(), track.root
    tree = (project / "result" / "whole" / "usr").resolve()
    build = [forge, "-C", project, "build", "picture"]
    fresh = track.renew(project / "recipes" / "picture.toml")
    state = f"--root {root}/containers --runroot {root}/run --storage-driver vfs"
    peer = f"""set -e
c=$(buildah {state} from scratch); buildah {state} copy -q $c {tree} /usr
buildah {state} commit -q --rm --format oci $c oci:{root}/peer:peer"""
    return [
        Lap("forge", build, fresh),
        Lap("forge, no sync", ["env", "FORGE_NO_SYNC=1", *build], fresh),
        Lap("tar | zstd", ["sh", "-c", f"tar -C {tree} -cf - . | zstd -q -3 -T2 -f -o {root}/peer.zst"]),
        Lap("buildah", ["sh", "-c", peer], ["rm", "-rf", root / "peer"]),
    ]


def image_again(track, forge):
    project = track.picture()
    own = project / "recipes" / "own"
    return [Lap("forge", [forge, "-C", project, "build", "picture"], ["dd", "status=none", "if=/dev/urandom", f"of={own}", "bs=1M", "count=1"])]


def push_again(track, forge):
    project, host = track.packed(), track.registry()
    layout = f"oci:{project}/result/packed:packed"
    return [
        Lap("forge", [forge, "-C", project, "push", "packed", f"{host}/forge/packed:1"]),
        Lap("skopeo", ["skopeo", "copy", "--dest-tls-verify=false", layout, f"docker://{host}/skopeo/packed:1"]),
    ]


# Programs that are not in PATH.

def example(forge, name):
    """A program of examples/, which measures one part of the library."""
    return forge.parent / "examples" / name


def bst():
    return shutil.which("bst") or REPOSITORY / "target" / "peers" / "bin" / "bst"


# The table.

CASES = {
    "no-op": Case(
        "build of 100 units over 2,000 local files, nothing changed",
        {clock: no_op},
        [Bar("forge", "ninja", 1.2), Bar("forge", "nix-build", 0.3)],
        ["ninja", "nix-build"],
    ),
    "no-op-bst": Case(
        "the same against BuildStream, which takes its time",
        {clock: no_op_python},
        [Bar("forge", "BuildStream", 0.1)],
        [bst()],
    ),
    "sandbox": Case(
        "100 trivial sandboxed units without the durability sync, a unit",
        {clock: sandbox},
        [Bar("forge -j1", "bwrap", 2.0), Bar("forge -j2", "nix-build -j2", 0.3)],
        ["bwrap", "nix-build"],
    ),
    "toolroot": Case(
        "the .debs of gcc, on this disk, to a toolroot that can be mounted",
        {clock: toolroot},
        [Bar("forge", "mmdebstrap", 0.6), Bar("forge, no sync", "mmdebstrap", None)],
        ["apt-get", "mmdebstrap"],
    ),
    "toolroot-again": Case(
        "that toolroot again, in seconds more than nothing at all",
        {clock: toolroot_again},
        [Bar("forge", "forge --version", 0.005, "plus")],
        ["apt-get"],
    ),
    "resolve": Case(
        "packages and all they need, from a parsed index",
        {printed: resolve_forge, clock: resolve_apt},
        [Bar("forge", "apt-get -s", 0.1)],
        ["apt-get", "examples/resolve"],
    ),
    "hash": Case(
        "digest of a tree of 7,400 files, 345 MB",
        {clock: hashing},
        [Bar("forge", "nix hash path", 0.35)],
        ["nix", "examples/hash_tree"],
    ),
    "why": Case(
        "why one of 1,000 units needs a package or a file, in seconds more than nothing at all",
        {clock: why},
        [Bar(f"forge, {what}", "forge --version", 0.05, "plus") for what in ["a package", "a file"]],
        [],
    ),
    "gc": Case(
        "collect 9,000 of 10,000 outputs, a folder with a file each; links need the others",
        {clock: gc},
        [Bar("forge", "nix-store --gc", 0.3)],
        ["nix-store", "examples/fill_store"],
    ),
    "plan": Case(
        "peak memory of a plan of 1,000 units",
        {memory: plan},
        [Bar("forge", None, 100e6)],
        [],
    ),
    "image": Case(
        "an image of 313 MB in 5,500 files, all that a compiler's packages bring, that is on this disk",
        {clock: image},
        [Bar("forge", "tar | zstd", 0.95), Bar("forge, no sync", "tar | zstd", None), Bar("forge", "buildah", 0.2)],
        ["buildah", "zstd"],
    ),
    "image-again": Case(
        "that image with another file of 1 MB",
        {clock: image_again},
        [Bar("forge", None, 0.06)],
        [],
    ),
    "push-again": Case(
        "an image of a few packages to a registry of this machine that has it already",
        {clock: push_again},
        [Bar("forge", "skopeo", 0.4)],
        ["docker-registry", "skopeo"],
    ),
    "cargo": Case(
        f"processor time of {' '.join(PROGRAM)} and all its crates, against cargo by hand in the same toolroot",
        {processors: cargo},
        [Bar("forge", "cargo by hand", 1.03)],
        ["bwrap", "cargo"],
    ),
    "graph": Case(
        "picture and page of 1,000 units, from recipes on, against dot, which only draws",
        {clock: graph},
        [Bar("forge svg", "dot", 0.2), Bar("forge html", "dot", 0.25)],
        ["dot"],
    ),
}
