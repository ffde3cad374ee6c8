"""Messages a second, processor time and memory of three ways in; see ingest.sh."""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from rig import plotwise as binary
from rig.influx import INFLUXD_SETTINGS, TELEGRAF_SETTINGS, Influx, start_telegraf
from rig.mosquitto import Mosquitto
from rig.plotwise import Plotwise
from rig.process import Failed, Process, until
from rig.report import machine, median, number, percentile, print_machine, table, write_json

QUANTITIES = 6
WINDOW = 1_000

#: Connections and devices of each; the first is what is compared, the others are printed beside it.
LOADS = {"4 x 50": (4, 50), "32 x 100": (32, 100)}


class Listener:
    """Plotwise's own listener."""

    name = "plotwise listener"
    pause_s = 0.02

    def __init__(self, folder, devices):
        self.plotwise = Plotwise(folder / "plotwise")
        self.plotwise.settle(devices)
        self.processes = [self.plotwise.serve()]
        self.port = self.plotwise.mqtt

    def publisher(self, words):
        return self.plotwise.simulate(*words, to=self.port)

    def has_all(self, last):
        """Whether every device's last message is stored."""
        count, oldest = self.plotwise.stored_by_each()
        return count == len(last) and oldest == min(last.values())

    def stored(self):
        """Messages that are stored, and those of them that are not whole."""
        stored = self.plotwise.exported()
        return len(stored), sum(count != QUANTITIES for count in stored.values())


class Link(Listener):
    """Plotwise subscribed to Mosquitto."""

    name = "mosquitto + plotwise link"

    def __init__(self, folder, devices):
        self.broker = Mosquitto(folder / "mosquitto")
        broker = self.broker.start()
        self.plotwise = Plotwise(folder / "plotwise")
        self.plotwise.settle(devices)
        self.plotwise.link_to(self.broker.port)
        self.processes = [broker, self.plotwise.serve()]
        self.broker.has_subscriber()
        self.port = self.broker.port


class Stack:
    """Mosquitto, Telegraf and InfluxDB."""

    name = "mosquitto + telegraf + influxdb"
    #: Asking costs it something.
    pause_s = 0.1

    def __init__(self, folder, devices):
        self.broker = Mosquitto(folder / "mosquitto")
        broker = self.broker.start()
        self.influx = Influx(folder / "influx")
        influxd = self.influx.start()
        telegraf = start_telegraf(folder / "telegraf", self.broker.port, self.influx)
        self.processes = [broker, telegraf, influxd]
        self.broker.has_subscriber()
        self.port = self.broker.port
        self.helper = Plotwise(folder / "plotwise")

    def publisher(self, words):
        return self.helper.simulate(*words, to=self.port, credentials=False)

    def has_all(self, last):
        # Each connection's messages stay in order, so four devices can speak for all.
        speakers = sorted(last)[-4:]
        latest = self.influx.latest(speakers)
        return all(latest.get(device) == last[device] for device in speakers)

    def stored(self):
        counts = [self.influx.count(field) for field in ("soil_moisture", "battery")]
        return min(counts), max(counts) - min(counts)


WAYS = {"listener": Listener, "link": Link, "stack": Stack}


def run(way, folder, load, messages):
    """One run on fresh processes and files."""
    connections, each = LOADS[load]
    devices = connections * each
    system = WAYS[way](folder, devices)
    start_ms = int(time.time() * 1000) - messages // devices * 1000 - 60_000
    last = {f"sim-{nth + 1:04}": start_ms + (messages - 1 - nth) // devices * 1000
            for nth in range(devices)}
    words = ["--devices", devices, "--connections", connections, "--window", WINDOW,
             "--messages", messages, "--start", rfc3339(start_ms)]
    before = {process.name: process.cpu_seconds() for process in system.processes}
    started = time.monotonic()
    publishing = subprocess.Popen(
        [str(word) for word in system.publisher(words)], stdout=subprocess.PIPE, text=True)
    report = json.loads(publishing.communicate()[0] or "{}")
    if report.get("acknowledged") != messages:
        raise Failed(f"{system.name}: the publisher says {report}")
    until("all is stored", lambda: system.has_all(last), patience_s=600, pause_s=system.pause_s)
    took = time.monotonic() - started
    if way == "listener":
        # What it acknowledged is stored, which is counted below.
        took = report["seconds"]
    cpu = {process.name: process.cpu_seconds() - before[process.name]
           for process in system.processes}
    peak = {process.name: process.peak_kb() / 1024 for process in system.processes}
    try:
        # A speaker's last message may overtake another's by one batch.
        until("the count is right", lambda: system.stored() == (messages, 0), 60, pause_s=1)
    except Failed:
        print(f"{system.name}: sent {messages}, stored and not whole {system.stored()}")
        raise
    finally:
        for process in system.processes:
            process.kill()
    return {
        "way": way, "load": load, "messages": messages, "seconds": took,
        "per_second": messages / took, "cpu_us": sum(cpu.values()) / messages * 1e6,
        "peak_mb": sum(peak.values()), "cpu_s_by_process": cpu, "peak_mb_by_process": peak,
        "publisher": report,
    }


def rfc3339(time_ms):
    seconds, rest = divmod(time_ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03}Z"


def idle(folder, connections):
    """Kilobytes of memory that a silent connection takes which has published once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < connections + 200:
        if hard != resource.RLIM_INFINITY and hard < connections + 200:
            print(f"idle connections: skipped, this user may open {hard} files "
                  f"(ulimit -n {connections + 200})")
            return None
        resource.setrlimit(resource.RLIMIT_NOFILE, (connections + 200, hard))
    plotwise = Plotwise(folder / "plotwise")
    # A service that has already worked: its buffers are none of the connections'.
    plotwise.settle(connections)
    service = plotwise.serve()
    subprocess.run(
        [str(word) for word in plotwise.simulate("--messages", 20_000, "--window", WINDOW)],
        check=True, stdout=subprocess.DEVNULL)
    before = service.rss_kb()
    start = rfc3339(int(time.time() * 1000) - 3_600_000)
    holding = Process(
        "simulate",
        plotwise.simulate("--devices", connections, "--connections", connections, "--messages",
                          connections, "--start", start, "--hold", 600, "--seed", 2),
        folder / "holding.log")
    until("every connection has published", lambda: plotwise.stored_by_each()[0] == connections,
          patience_s=300, process=holding)
    until("every connection is open", lambda: established(plotwise.mqtt) >= connections, 60)
    after = service.rss_kb()
    holding.kill()
    service.kill()
    return {"connections": connections, "before_kb": before, "after_kb": after,
            "kb_each": (after - before) / connections}


def established(port):
    """Open connections to a local port."""
    wanted = f":{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file]
    return sum(row[1].endswith(wanted) and row[3] == "01" for row in rows[1:])


def sync_p99_ms(folder, count):
    """99th percentile of appending 4 KiB to a file and syncing it, milliseconds."""
    path = folder / "sync"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    block, took = os.urandom(4096), []
    for _ in range(count):
        started = time.perf_counter()
        os.write(descriptor, block)
        os.fdatasync(descriptor)
        took.append((time.perf_counter() - started) * 1000)
    os.close(descriptor)
    path.unlink()
    return percentile(took, 0.99)


def latency(folder, rounds, seconds=10, rate=1_000):
    """Publish to PUBACK at a steady rate, and the disk's own sync in turn with it."""
    plotwise = Plotwise(folder / "plotwise")
    plotwise.settle(200)
    service = plotwise.serve()
    rows = []
    for nth in range(rounds):
        disk = sync_p99_ms(plotwise.data, 2_000)
        start = rfc3339(int(time.time() * 1000) - 3_600_000 * (nth + 1))
        done = subprocess.run(
            [str(word) for word in plotwise.simulate(
                "--devices", 200, "--rate", rate, "--messages", rate * seconds, "--start", start)],
            check=True, stdout=subprocess.PIPE, text=True)
        report = json.loads(done.stdout)
        rows.append({"sync_p99_ms": disk, "p50_ms": report["p50_ms"], "p99_ms": report["p99_ms"],
                     "ratio": report["p99_ms"] / disk})
    service.kill()
    return rows


def print_ways(load, rows):
    print(f"\n{load} devices, window {WINDOW}, {QUANTITIES} quantities, QoS 1, "
          f"medians of {max(1, len(rows) // len({row['way'] for row in rows}))}")
    by_way = {way: [row for row in rows if row["way"] == way] for way in WAYS}
    stack = by_way["stack"]
    lines = []
    for way, mine in by_way.items():
        if not mine:
            continue
        line = [WAYS[way].name]
        for key, better in (("per_second", 1), ("cpu_us", -1), ("peak_mb", -1)):
            line.append(number(median(mine, key)))
            ratio = median(mine, key) / median(stack, key) if stack else None
            line.append("" if ratio is None else
                        f"{number(ratio)} x" if better > 0 else f"1/{number(1 / ratio)}")
        parts = {name: median([row["peak_mb_by_process"] for row in mine], name)
                 for name in mine[0]["peak_mb_by_process"]}
        line.append(", ".join(f"{name} {number(mb)}" for name, mb in parts.items()))
        lines.append(line)
    table(["", "messages/s", "", "CPU us/message", "", "peak MB", "", "of which"], lines)


def options():
    parser = argparse.ArgumentParser(prog="ingest.sh", description=__doc__)
    parser.add_argument("--only", default="listener,link,stack,idle,latency",
                        help="of listener, link, stack, idle, latency (default: all)")
    parser.add_argument("--messages", type=int, default=200_000, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections")
    parser.add_argument("--json", metavar="FILE", help="every run")
    parser.add_argument("--folder", default=None,
                        help="where data stand meanwhile; on the disk that is meant, not in memory")
    return parser.parse_args()


def main():
    asked = options()
    wanted = asked.only.split(",")
    binary.build()
    about = machine()
    print_machine(about)
    ways = [way for way in WAYS if way in wanted]
    content = {"machine": about, "runs": [], "idle": None, "latency": [],
               "settings": {"influxd": INFLUXD_SETTINGS, "telegraf": TELEGRAF_SETTINGS}}
    with tempfile.TemporaryDirectory(prefix="plotwise-bench-", dir=asked.folder) as folder:
        folder = pathlib.Path(folder)
        for load in LOADS:
            for nth in range(asked.rounds):
                for way in ways:
                    with tempfile.TemporaryDirectory(dir=folder) as place:
                        row = run(way, pathlib.Path(place), load, asked.messages)
                    content["runs"].append(row)
                    print(f"  {load}  {nth + 1}/{asked.rounds}  {WAYS[way].name}: "
                          f"{number(row['per_second'])}/s, {number(row['cpu_us'])} us",
                          file=sys.stderr)
            rows = [row for row in content["runs"] if row["load"] == load]
            if rows:
                print_ways(load, rows)
        if "stack" in ways:
            print(f"\ninfluxd: {INFLUXD_SETTINGS}\ntelegraf: {TELEGRAF_SETTINGS}")
        if "idle" in wanted:
            content["idle"] = one = idle(folder / "idle", asked.idle)
            if one:
                print(f"\n{one['connections']:,} idle connections: "
                      f"{number(one['kb_each'])} KB each")
        if "latency" in wanted:
            content["latency"] = rows = latency(folder / "latency", asked.rounds)
            print(f"\n1,000 messages/s: publish to PUBACK p50 {number(median(rows, 'p50_ms'))} ms, "
                  f"p99 {number(median(rows, 'p99_ms'))} ms; the disk's own sync of 4 KiB p99 "
                  f"{number(median(rows, 'sync_p99_ms'))} ms; ratio {number(median(rows, 'ratio'))}")
    write_json(asked.json, content)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"ingest.sh: {failure}")
