"""Bytes a reading at rest, and reading back, beside InfluxDB; see density.sh."""

import argparse
import calendar
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from rig import plotwise as binary
from rig.influx import BUCKET, ORGANIZATION, TOKEN, Influx
from rig.plotwise import Plotwise
from rig.process import Failed, until
from rig.report import machine, number, print_machine, table, write_json

QUANTITIES = ["soil_moisture", "soil_temperature", "soil_ec", "soil_ph", "ppfd", "battery"]
START = "2026-06-01T00:00:00Z"
LINES = 10_000

#: Compacts at once what is not written to any more, and fully. Left alone, InfluxDB does so after four
#: hours; its files are the same in the end.
COMPACTION = [
    "--storage-cache-snapshot-write-cold-duration=5s",
    "--storage-compact-full-write-cold-duration=10s",
    "--storage-compact-throughput-burst=1073741824",
]


def moment(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def line_protocol(exported):
    """Turns `export readings` into lines of InfluxDB, one an observation."""
    next(exported)
    current, fields, last_time, last_ms = None, [], None, 0
    for line in exported:
        device, time_text, _, quantity, _, value, _ = line.split(",", 6)
        if time_text != last_time:
            last_time = time_text
            last_ms = moment(time_text) * 1000
        if (device, last_ms) != current:
            if fields:
                yield f"readings,device={current[0]} {','.join(fields)} {current[1]}"
            current, fields = (device, last_ms), []
        fields.append(f"{quantity}={value}")
    if fields:
        yield f"readings,device={current[0]} {','.join(fields)} {current[1]}"


def copy(plotwise, influx):
    """Writes everything that Plotwise holds into InfluxDB; how many observations."""
    exporting = subprocess.Popen(
        [str(word) for word in plotwise.command("export", "readings")],
        stdout=subprocess.PIPE, text=True)
    connection = http.client.HTTPConnection("127.0.0.1", influx.port, timeout=600)
    path = f"/api/v2/write?org={ORGANIZATION}&bucket={BUCKET}&precision=ms"
    count, batch = 0, []

    def write():
        connection.request("POST", path, "\n".join(batch), {"Authorization": f"Token {TOKEN}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 204:
            raise Failed(f"influxd refuses a batch: {answer.status} {body[:300]}")

    for line in line_protocol(exporting.stdout):
        batch.append(line)
        if len(batch) == LINES:
            write()
            count, batch[:] = count + LINES, []
    if batch:
        write()
        count += len(batch)
    if exporting.wait() != 0:
        raise Failed("plotwise export readings failed")
    return count


def bytes_on_disk(folder, pattern="*"):
    """What the files of a folder take; holes in them take nothing."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob(pattern) if path.is_file())


def compacted(influx):
    """Waits until every shard is one file and nothing waits in the log; how it stands."""
    data, log = influx.folder / "engine" / "data", influx.folder / "engine" / "wal"

    def state():
        shards = {}
        for path in data.rglob("*.tsm"):
            shards[path.parent] = shards.get(path.parent, 0) + 1
        in_log = sum(path.stat().st_size for path in log.rglob("*.wal"))
        return len(shards), sum(shards.values()), in_log

    def is_done():
        shards, files, in_log = state()
        return shards > 0 and files == shards and in_log < 4096 and not list(data.rglob("*.tmp"))

    until("every shard is compacted", is_done, patience_s=1200, pause_s=1, process=influx.process)
    return "{} shards in {} files, {} bytes in the log".format(*state())


def timed_get(plotwise, paths):
    """Seconds until all answers are read, one after the other over one connection, and their bodies."""
    connection = http.client.HTTPConnection("127.0.0.1", plotwise.http, timeout=600)
    connection.connect()
    started, bodies = time.perf_counter(), []
    for path in paths:
        connection.request("GET", path)
        answer = connection.getresponse()
        bodies.append(answer.read())
        if answer.status != 200:
            raise Failed(f"{path}: {answer.status} {bodies[-1][:300]}")
    took = time.perf_counter() - started
    connection.close()
    return took, bodies


class Questions:
    """The same questions to both."""

    def __init__(self, plotwise, influx, days, devices):
        self.plotwise, self.influx = plotwise, influx
        self.days, self.devices = days, devices
        self.end = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                 time.gmtime(moment(START) + days * 86_400))
        self.window = f"time >= '{START}' AND time < '{self.end}'"

    def _paths(self, plot, step, points):
        return [f"/api/v1/plots/{plot}/readings?quantity={quantity}&from={START}&to={self.end}"
                f"&step={step}&points={points}" for quantity in QUANTITIES]

    def _series(self, step, count):
        took, bodies = timed_get(self.plotwise, self._paths("plot-0001", step, count + 1))
        for body in bodies:
            found = len(json.loads(body)["items"])
            if found != count:
                raise Failed(f"one device, {step}: {found} points, wanted {count}")
        return took

    def _influxql(self, select, group):
        where = f"device = 'sim-0001' AND {self.window}"
        return self.influx.influxql(f"SELECT {select} FROM readings WHERE {where} {group}")[1]

    def _raw(self):
        return self._influxql(", ".join(f'"{one}"' for one in QUANTITIES), "")

    def raw(self):
        """What the device sent, with flags."""
        count, path = self.days * 96, "/api/v1/devices/sim-0001/observations"
        took, (body,) = timed_get(self.plotwise, [f"{path}?limit={count}"])
        items = json.loads(body)["items"]
        if len(items) != count or any(len(one["readings"]) != len(QUANTITIES) for one in items):
            raise Failed(f"one device: {len(items)} observations, wanted {count} of "
                         f"{len(QUANTITIES)} readings")
        return took, self._raw()

    def raw_charts(self):
        """The same as the page of its plot asks for it, a request a quantity."""
        return self._series("raw", self.days * 96), self._raw()

    def by_hour(self):
        select = ", ".join(f'mean("{one}")' for one in QUANTITIES)
        return self._series("hour", self.days * 24), self._influxql(select, "GROUP BY time(1h)")

    def by_day_of_all(self):
        """Of every device; count, mean, least and greatest of each quantity."""
        ours = self._days_of_all()
        select = ", ".join(f'{what}("{one}")' for one in QUANTITIES
                           for what in ("count", "mean", "min", "max"))
        # The days of the cooperative, as in Plotwise.
        body, theirs = self.influx.influxql(
            f"SELECT {select} FROM readings WHERE {self.window} "
            "GROUP BY time(1d), device tz('Asia/Shanghai')")
        series = len(json.loads(body)["results"][0]["series"])
        if series != self.devices:
            raise Failed(f"InfluxQL gave days of {series} devices, wanted {self.devices}")
        return ours, theirs

    def _days_of_all(self):
        """Seconds from starting `export days` to its last line, and reading none of it."""
        words = ["export", "days", "--from", START[:10], "--to", self.end[:10]]
        started = time.perf_counter()
        lines = self.plotwise.run(*words).count("\n") - 1
        took = time.perf_counter() - started
        # It is eight o'clock when a day of UTC begins: there is one day more.
        wanted = (self.days + 1) * self.devices * len(QUANTITIES)
        if lines != wanted:
            raise Failed(f"export days gave {lines} lines, wanted {wanted}")
        return took


def fill(plotwise, days, devices):
    """Publishes the field to the listener; the report of the publisher."""
    plotwise.settle(devices, plots=True)
    plotwise.serve()
    done = subprocess.run(
        [str(word) for word in plotwise.simulate(
            "--devices", devices, "--every", "15m", "--days", days, "--start", START,
            "--window", 1_000)],
        check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(prog="density.sh", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--devices", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5, help="of each question of one device")
    parser.add_argument("--json", metavar="FILE", help="every figure")
    parser.add_argument("--folder", default=None, help="where data stand meanwhile")
    asked = parser.parse_args()
    binary.build()
    about = machine()
    print_machine(about)
    observations = asked.days * 96 * asked.devices
    readings = observations * len(QUANTITIES)
    print(f"\n{asked.devices:,} devices x {asked.days} days at a quarter-hour x {len(QUANTITIES)} "
          f"quantities: {readings:,} readings")
    with tempfile.TemporaryDirectory(prefix="plotwise-bench-", dir=asked.folder) as folder:
        folder = pathlib.Path(folder)
        plotwise, influx = Plotwise(folder / "plotwise"), Influx(folder / "influx")
        report = fill(plotwise, asked.days, asked.devices)
        print(f"published to the listener in {number(report['seconds'])} s")
        sealed = plotwise.settled()
        print(f"plotwise: {sealed}")
        free = plotwise.query("pragma freelist_count")[0] * 4096
        plotwise.service.stop()
        influx.start()
        started = time.monotonic()
        count = copy(plotwise, influx)
        print(f"copied to influxd in {number(time.monotonic() - started)} s")
        influx.process.stop()
        influx.start(*COMPACTION)
        compaction = compacted(influx)
        print(f"influxd: {compaction}")
        if not count == influx.count("battery") == observations:
            raise Failed(f"{observations} observations were sent, {count} exported, "
                         f"{influx.count('battery')} are in influxd")
        # At rest: nothing is open.
        influx.process.stop()
        ours = sum(bytes_on_disk(plotwise.data, pattern) for pattern in ("readings.db*",))
        theirs = bytes_on_disk(influx.folder / "engine" / "data", "*.tsm")
        engine = bytes_on_disk(influx.folder / "engine")
        influx.start(*COMPACTION)
        plotwise.serve()
        answers = ask(Questions(plotwise, influx, asked.days, asked.devices), asked.runs)
        plotwise.service.kill()
        influx.process.kill()
    print()
    lines = [["bytes a reading, pages of use", number((ours - free) / readings), "", ""],
             ["bytes a reading, all files", number(ours / readings), number(engine / readings),
              f"1/{number(engine / ours)}"],
             ["bytes a reading, TSM files alone", "", number(theirs / readings),
              f"1/{number(theirs / ours)}"]]
    lines += [[name, number(one["plotwise"] * 1000), number(one["influxql"] * 1000),
               f"1/{number(one['influxql'] / one['plotwise'])}"] for name, one in answers.items()]
    table(["", "plotwise", "influxdb", ""], lines)
    write_json(asked.json, {
        "machine": about, "readings": readings, "sealed": sealed, "compaction": compaction,
        "bytes": {"plotwise": ours, "plotwise_free": free, "influxdb": engine, "tsm": theirs},
        "seconds": answers})


def ask(questions, runs):
    """Medians of seconds, both asked in turn."""
    answers = {}
    for name, question, times in [
        ("one device raw, ms", questions.raw, runs),
        ("one device raw in six charts, ms", questions.raw_charts, runs),
        ("one device by the hour, ms", questions.by_hour, runs),
        ("all devices by the day, ms", questions.by_day_of_all, min(runs, 3)),
    ]:
        pairs = [question() for _ in range(times)]
        answers[name] = {"plotwise": statistics.median(pair[0] for pair in pairs),
                         "influxql": statistics.median(pair[1] for pair in pairs), "runs": pairs}
    return answers


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"density.sh: {failure}")
