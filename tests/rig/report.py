"""Figures as people and programs read them."""

import json
import os
import platform
import statistics
import subprocess
import time

from .plotwise import BINARY, ROOT


def median(rows, key):
    """The median of a figure over runs."""
    return statistics.median(row[key] for row in rows)


def percentile(values, share):
    """The value that this share of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(head, rows):
    """Prints rows under a head, the first column to the left and the others to the right."""
    texts = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[place]) for row in texts) for place in range(len(head))]
    for row in texts:
        first = row[0].ljust(widths[0])
        print("  ".join([first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]))


def number(value):
    """With as many digits as matter."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine():
    """What was measured, and on what."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = {line.split(":", 1)[1].strip() for line in file if line.startswith("model name")}
    with open("/proc/meminfo", encoding="ascii") as file:
        memory_kb = int(file.readline().split()[1])
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "program": version.stdout.strip(),
        "commit": commit.stdout.strip(),
        "cores": len(os.sched_getaffinity(0)),
        "processor": ", ".join(sorted(models)) or platform.machine(),
        "memory_gb": round(memory_kb / 2**20),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def print_machine(about):
    print(
        f"{about['program']} at {about['commit']}, {about['date']}; {about['cores']} cores "
        f"({about['processor']}), {about['memory_gb']} GB, Linux {about['kernel']}"
    )
    # What else runs takes its share of the cores from all alike, but not of the caches.
    if about["load_before"] > 0.5:
        print(f"note: the machine was busy before this began (load {about['load_before']:.1f})")


def write_json(path, content):
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
