"""Reads what a command costs. A meter takes laps and returns the figures it read, by the laps' names."""

import json
import os
import shlex
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


def peak(lap):
    output(*lap.prepare)
    words = [str(word) for word in lap.command]
    silence = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    child = os.posix_spawnp(words[0], words, os.environ, file_actions=silence)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"failed: {line(lap.command)}")
    return usage.ru_maxrss * 1024


def line(words):
    return shlex.join(str(word) for word in words)
