"""Reads what a command costs. A meter takes laps and returns the figures it read, by the laps' names."""

import json
import shlex
import sys
import tempfile
from dataclasses import dataclass

from track import output

# Fewer and more runs than these, in one round, tell nothing new.
RUNS = (2, 40)


@dataclass(frozen=True)
class Lap:
    """A command to time, and what undoes its work before each run; its time is that of `units` units."""

    name: str
    command: list
    prepare: tuple = ("true",)
    units: int = 1


def clock(laps):
    """Seconds of wall time, by hyperfine, all laps in one call."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = ["hyperfine", "-N", "--style", "none", "--warmup", "1", "--export-json", report.name]
        command += ["--min-runs", str(RUNS[0]), "--max-runs", str(RUNS[1])]
        for lap in laps:
            command += ["--prepare", line(lap.prepare), "--command-name", lap.name, line(lap.command)]
        output(*command)
        results = json.load(report)["results"]
    return {lap.name: [time / lap.units for time in result["times"]] for lap, result in zip(laps, results)}


def printed(laps):
    """Seconds that the program took by its own account, of the part that is raced."""
    return {lap.name: [float(output(*lap.command).split()[0]) for _ in range(RUNS[0])] for lap in laps}


def memory(laps):
    """Peak resident memory in bytes."""
    return {lap.name: [peak(lap)] for lap in laps}


# A program starts out with the peak of the one that forked it, so a small one has to: it prints its child's.
WAIT = """
import os, sys
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss)
sys.exit(bool(status))
"""


def peak(lap):
    output(*lap.prepare)
    return int(output(sys.executable, "-c", WAIT, *lap.command)) * 1024


def line(words):
    return shlex.join(str(word) for word in words)
