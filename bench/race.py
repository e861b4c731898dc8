#!/usr/bin/env python3
"""Races forge against its peers, side by side in one run, and fails where a bar is missed.

A bar is a ratio of medians, so that it holds on any machine: absolute times do not, and the load of a
shared machine doubles them. `bench/install.sh` installs the peers; `cargo build --release --bin forge
--examples` builds what they are up against. `cases.py` holds the table of races, `track.py` lays out
what they run on, `meters.py` reads what they cost.

    bench/race.py [--quick] [--only CASE]… [--json FILE]

Exit codes: 0 every bar was met; 1 one was missed, or a command failed; 2 a program is missing;
130 interrupted.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import CASES
from meters import line
from track import REPOSITORY, Track, output

# Rounds of one race; forge and peer take turns in who is first, so that a busy moment hits both.
ROUNDS = 5


def world(track):
    """The environment of all commands: forge and Nix have stores of their own, and no user's settings count."""
    for name in ["FORGE_MIRRORS", "FORGE_NO_SYNC", "NIX_PATH"]:
        os.environ.pop(name, None)
    os.environ |= {
        "FORGE_STORE": str(track.store),
        "NIX_CONF_DIR": str(track.root / "nix" / "conf"),
        "NIX_REMOTE": "",
        "XDG_CACHE_HOME": str(track.root / "cache"),
        "XDG_CONFIG_HOME": str(track.root / "config"),
    }


def race(case, track, forge, rounds):
    """The median of every lap, by name."""
    field = [(meter, laps(track, forge)) for meter, laps in case.laps.items()]
    for lap in (lap for _, laps in field for lap in laps):
        rehearse(lap)
    figures = {}
    for number in range(rounds):
        for meter, laps in field:
            for name, read in meter(laps if number % 2 else laps[::-1]).items():
                figures.setdefault(name, []).extend(read)
    return {name: statistics.median(read) for name, read in figures.items()}


def rehearse(lap):
    """Runs a lap once, so that what fails does so in the open, and what is warm is warm."""
    output(*lap.prepare)
    output(*lap.command)


def judge(name, bar, medians):
    """A row of the table."""
    mine, theirs = medians[bar.mine], medians.get(bar.theirs)
    value = mine if theirs is None else mine - theirs if bar.rule == "plus" else mine / theirs
    met = bar.most is None or value <= bar.most
    return {"case": name, "forge": bar.mine, "forge_figure": mine, "peer": bar.theirs, "peer_figure": theirs,
            "rule": bar.rule if theirs else "at most", "value": value, "bar": bar.most, "ok": met}


def figure(value, row):
    """A figure for people, in the unit of its case: no race takes hours, and no program is that small."""
    if value > 1e4:
        return f"{value / 1e6:.0f} MB"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"


def ratio(value, row):
    """A value or a bar for people."""
    if value is None:
        return "-"
    return f"{value:.3f}" if row["rule"] == "times" else figure(value, row)


def show(row):
    """Prints a row."""
    peer = "" if row["peer"] is None else f"{row['peer']} {figure(row['peer_figure'], row)}"
    mine = f"{row['forge']} {figure(row['forge_figure'], row)}"
    verdict = "" if row["bar"] is None else "ok" if row["ok"] else "OVER"
    columns(row["case"], mine, peer, ratio(row["value"], row), ratio(row["bar"], row), verdict)


def columns(case, mine, peer, value, bar, verdict):
    print(f"{case:<15} {mine:<25} {peer:<25} {value:>9} {bar:>9}  {verdict}".rstrip(), flush=True)


def missing(names, forge):
    """The programs that the cases need and that are not there."""
    wanted = {"hyperfine", str(forge)}
    for name in names:
        for need in CASES[name].needs:
            wanted.add(str(forge.parent / need if str(need).startswith("examples/") else need))
    return sorted(program for program in wanted if not shutil.which(program))


def arguments():
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    parser = argparse.ArgumentParser(description="Races forge against its peers.")
    parser.add_argument("--quick", action="store_true", help="one round instead of several")
    parser.add_argument("--only", action="append", choices=CASES, help="race this case; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--forge", type=Path, default=target / "release" / "forge", help="the forge to race")
    return parser.parse_args()


def machine():
    """What the figures depend on."""
    return {"cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()[0]}


def main():
    options = arguments()
    names, forge = options.only or list(CASES), options.forge.absolute()
    if absent := missing(names, forge):
        print("missing:", *absent, sep="\n  ", file=sys.stderr)
        print("peers: bench/install.sh\nforge: cargo build --release --bin forge --examples", file=sys.stderr)
        return 2
    host = machine()
    print(f"{host['cores']} cores, load {host['load']:.1f}: the quieter the machine, the truer the figures")
    columns("case", "forge", "peer", "ratio", "bar", "")
    with tempfile.TemporaryDirectory(prefix="race-") as root, Track(Path(root), forge) as track:
        world(track)
        rows = [row for name in names for row in contest(name, track, forge, 1 if options.quick else ROUNDS)]
    if options.json:
        options.json.write_text(json.dumps({"machine": host, "rows": rows}, indent=2) + "\n")
    return 0 if all(row["ok"] for row in rows) else 1


def contest(name, track, forge, rounds):
    """Races one case, prints its rows and returns them."""
    medians = race(CASES[name], track, forge, rounds)
    rows = [judge(name, bar, medians) for bar in CASES[name].bars]
    for row in rows:
        show(row)
    return rows


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.stderr}failed with {error.returncode}: {line(error.cmd)}")
