"""Sealing alone: bytes a reading, and the speed of making and reading blocks; see sealed.sh."""

import argparse
import hashlib
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from rig import plotwise as binary
from rig.plotwise import Plotwise
from rig.process import Failed
from rig.report import machine, number, print_machine, table, write_json

START = "2026-01-01T00:00:00Z"


def timed(work):
    """What it gives, the seconds it took and those its children computed."""
    def computed():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before, started = computed(), time.perf_counter()
    found = work()
    return found, time.perf_counter() - started, computed() - before


def exported(plotwise):
    """A hash of everything that is exported."""
    done = subprocess.Popen(
        [str(word) for word in plotwise.command("export", "readings")], stdout=subprocess.PIPE)
    digest = hashlib.sha256()
    while part := done.stdout.read(1 << 20):
        digest.update(part)
    if done.wait() != 0:
        raise Failed(f"export ended with {done.returncode}")
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(prog="sealed.sh", description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--json", metavar="FILE", help="every figure")
    parser.add_argument("--folder", default=None, help="where data stand meanwhile")
    asked = parser.parse_args()
    binary.build()
    about = machine()
    print_machine(about)
    with tempfile.TemporaryDirectory(prefix="plotwise-bench-", dir=asked.folder) as folder:
        plotwise = Plotwise(pathlib.Path(folder) / "plotwise")
        plotwise.settle(asked.devices)
        plotwise.serve()
        subprocess.run(
            [str(word) for word in plotwise.simulate(
                "--days", asked.days, "--every", "15m", "--start", START, "--devices",
                asked.devices, "--connections", 4, "--window", 1000)],
            check=True, stdout=subprocess.DEVNULL)
        plotwise.service.stop()
        show = lambda: json.loads(plotwise.run("store", "show", "--format", "json"))
        rows, (before, export_rows_s, _) = show(), timed(lambda: exported(plotwise))
        sealed, seal_s, seal_cpu_s = timed(
            lambda: json.loads(plotwise.run("store", "seal", "--format", "json")))
        blocks, (after, export_blocks_s, _) = show(), timed(lambda: exported(plotwise))
        _, read_s, read_cpu_s = timed(lambda: plotwise.run("doctor", "--sealed", check=False))
        if before != after:
            raise Failed("what is exported after sealing is not what was exported before")
        if sealed["observations"] != asked.devices * asked.days * 96 or blocks["rows"]:
            raise Failed(f"{sealed} sealed, {blocks} stored")
    readings = blocks["sealed_readings"]
    count = blocks["blocks"]
    print(f"\n{sealed['observations']:,} observations, {readings:,} readings, {count:,} blocks of "
          f"{number(blocks['block_bytes'] / count)} bytes")
    table(["", "rows", "sealed"], [
        ["bytes a reading, the whole file", number(rows["bytes_a_reading"]),
         number(blocks["bytes_a_reading"])],
        ["bytes a reading, blocks alone", "", number(blocks["block_bytes"] / readings)],
        ["sealed, observations/s", "", number(sealed["observations"] / seal_s)],
        ["sealed, observations/s of CPU", "", number(sealed["observations"] / seal_cpu_s)],
        ["read by doctor, readings/s", "", number(readings / read_s)],
        ["read by doctor, readings/s of CPU", "", number(readings / read_cpu_s)],
        ["exported, readings/s", number(readings / export_rows_s),
         number(readings / export_blocks_s)]])
    write_json(asked.json, {
        "machine": about, "rows": rows, "sealed": blocks, "steps": sealed, "seconds": {
            "seal": seal_s, "seal_cpu": seal_cpu_s, "read": read_s, "read_cpu": read_cpu_s,
            "export_rows": export_rows_s, "export_blocks": export_blocks_s}})


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"sealed.sh: {failure}")
