"""A plot-year by the hour from the API, and an import of real readings; see api.sh."""

import argparse
import csv
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from rig import plotwise as binary
from rig.plotwise import Plotwise
from rig.process import Failed
from rig.report import machine, number, print_machine, table, write_json

PLOT = "plot-0001"
DAYS, STEPS = 365, 365 * 96
START, END = "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
QUANTITIES = ["soil_moisture", "soil_temperature", "soil_ec", "soil_ph", "ppfd", "battery"]
FARM = {"soil_moisture": "soil_moisture", "soil_temperature": "soil_temperature", "ec": "soil_ec"}


def first_byte_ms(plotwise, path):
    """Milliseconds until the answer begins, which is when the server is done, and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", plotwise.http, timeout=60)
    connection.connect()
    started = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    took = (time.perf_counter() - started) * 1000
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise Failed(f"{path}: {answer.status} {body[:300]}")
    return took, json.loads(body)


def plot_year(folder, runs):
    """A year of one sensor at a quarter-hour, by hour, day and raw, of each quantity."""
    plotwise = Plotwise(folder / "year")
    plotwise.settle(1, plots=True)
    service = plotwise.serve()
    subprocess.run(
        [str(word) for word in plotwise.simulate(
            "--devices", 1, "--every", "15m", "--days", DAYS, "--start", START)],
        check=True, stdout=subprocess.DEVNULL)
    sealed = plotwise.settled()
    rows = {}
    for step, count in [("raw", STEPS), ("hour", DAYS * 24), ("day", DAYS + 1)]:
        took = {quantity: [] for quantity in QUANTITIES}
        for _ in range(runs):
            for quantity in QUANTITIES:
                path = (f"/api/v1/plots/{PLOT}/readings?quantity={quantity}&from={START}&to={END}"
                        f"&step={step}&points={STEPS}")
                one, answer = first_byte_ms(plotwise, path)
                took[quantity].append(one)
                # The cooperative's days begin before those of UTC.
                if len(answer["items"]) != count or answer["next"]:
                    raise Failed(f"{path}: {len(answer['items'])} points, wanted {count}")
        medians = {quantity: statistics.median(times) for quantity, times in took.items()}
        rows[step] = {"ms": medians, "ms_of_all": sum(medians.values())}
    service.kill()
    return {"sealed": sealed, "steps": rows}


def farm_rows(source, target):
    """The farm's rows as its probes would have logged them, one device a station and depth."""
    devices, count = {}, 0
    with open(source, encoding="utf-8", newline="") as file, \
            open(target, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["device", "time", *FARM.values()])
        for row in csv.DictReader(file):
            device = f"{row['station']}-{float(row['depth_m']) * 100:.0f}"
            devices[device] = row["depth_m"]
            # Daily means without a time of day: noon is ours.
            writer.writerow([device, f"{row['date']}T12:00:00Z", *(row[key] for key in FARM)])
            count += 1
    return devices, count


def imports(folder, runs):
    """Seconds that importing the farm takes, each time into an empty directory."""
    shared = os.environ.get("PLOTWISE_SHARED")
    source = pathlib.Path(shared or ".") / "data" / "cookfarm" / "readings.csv"
    if not shared or not source.exists():
        print("import: skipped, PLOTWISE_SHARED does not name the folder of real readings")
        return None
    file = folder / "readings.csv"
    devices, count = farm_rows(source, file)
    took = []
    for nth in range(runs):
        plotwise = Plotwise(folder / f"import-{nth}")
        plotwise.run("cooperatives", "add", "farm", "--name", "Farm")
        listed = plotwise.folder / "devices.csv"
        listed.write_text("device,cooperative,plot,profile,depth_m\n" + "".join(
            f"{device},farm,,native,{depth}\n" for device, depth in devices.items()))
        plotwise.run("import", "devices", listed)
        started = time.perf_counter()
        report = json.loads(plotwise.run("import", "readings", file, "--format", "json"))
        took.append(time.perf_counter() - started)
        if (report["rows"], report["new"], report["errors"]) != (count, count, []):
            raise Failed(f"import: wanted {count} new rows, found {report}")
    return {"rows": count, "seconds": took}


def main():
    parser = argparse.ArgumentParser(prog="api.sh", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="of each request")
    parser.add_argument("--json", metavar="FILE", help="every figure")
    asked = parser.parse_args()
    binary.build()
    about = machine()
    print_machine(about)
    with tempfile.TemporaryDirectory(prefix="plotwise-bench-") as folder:
        folder = pathlib.Path(folder)
        year = plot_year(folder, asked.runs)
        print(f"\none plot, {STEPS:,} observations of {len(QUANTITIES)} quantities, {year['sealed']}; "
              f"ms until the answer begins, medians of {asked.runs}")
        table(["step", *QUANTITIES, "all six"], [
            [step, *(number(ms) for ms in row["ms"].values()), number(row["ms_of_all"])]
            for step, row in year["steps"].items()])
        found = imports(folder, min(asked.runs, 5))
        if found:
            print(f"\nimporting {found['rows']:,} real rows of up to 3 quantities: median "
                  f"{number(statistics.median(found['seconds']))} s")
    write_json(asked.json, {"machine": about, "year": year, "import": found})


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"api.sh: {failure}")
