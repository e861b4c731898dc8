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
    return {lap.name: [int(waited(lap)[0]) * 1024] for lap in laps}


def processors(laps):
    """Seconds of processor time, in all processes of the command."""
    return {lap.name: [float(waited(lap)[1])] for lap in laps}


# A program starts out with the peak of the one that forked it, so a small one has to: it prints what its child
# took. It also takes in children whose parents are gone, so that no one's processor time is lost.
WAIT = """
import ctypes, os, resource, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)])
_, status, usage = os.wait4(child, 0)
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
times = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_maxrss, times.ru_utime + times.ru_stime)
sys.exit(bool(status))
"""


def waited(lap):
    """What `WAIT` prints of a lap."""
    output(*lap.prepare)
    return output(sys.executable, "-c", WAIT, *lap.command).split()


def line(words):
    return shlex.join(str(word) for word in words)
