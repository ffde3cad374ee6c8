"""Kills, full and failing disks, lost brokers, wrong clocks; see ingest.sh."""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import traceback

import cases
from rig import plotwise as binary
from rig.process import Failed
from rig.report import machine, print_machine, table

CASES = {
    "kills-listener": cases.kills_on_the_listener,
    "kills-link": cases.kills_on_the_link,
    "full-disk": cases.a_full_disk,
    "failing-disk": cases.a_failing_disk,
    "broker": cases.a_broker_killed,
    "clock": cases.a_clock_set_back,
    "backlog": cases.a_backlog_at_once,
}


def options():
    parser = argparse.ArgumentParser(prog="ingest.sh", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kills on each path")
    parser.add_argument("--seed", type=int, default=None, help="of the random moments")
    parser.add_argument("--only", default=",".join(CASES), help=f"of {', '.join(CASES)}")
    return parser.parse_args()


def main():
    asked = options()
    binary.build()
    print_machine(machine())
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}\n")
    rows, is_well = [], True
    for name in asked.only.split(","):
        with tempfile.TemporaryDirectory(prefix="plotwise-fire-") as folder:
            context = cases.Context(pathlib.Path(folder), random.Random(f"{seed} {name}"),
                                    asked.rounds)
            try:
                found = CASES[name](context)
            except cases.Skipped as skipped:
                print(f"{name}: skipped, {skipped}")
                continue
            except (Failed, OSError, subprocess.SubprocessError):
                is_well = False
                print(f"{name}: failed\n{traceback.format_exc()}")
                continue
        for outcome in found:
            rows.append(outcome.row())
            is_well &= outcome.is_well()
            for complaint in outcome.complaints:
                print(f"{outcome.case}: {complaint}")
    print()
    table(["case", "rounds", "sent", "acknowledged", "stored", "lost", "twice", "integrity",
           "process"], rows)
    print("\nlost: acknowledged and not stored; twice: stored more than once")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
