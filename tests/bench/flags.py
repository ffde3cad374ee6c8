"""Times `plotwise flag` and flagit on one made-up hourly series; see flags.sh."""

import argparse
import os
import subprocess
import tempfile
import time
import warnings
from collections import Counter

import numpy as np
import pandas as pd
from flagit.flagit import Interface

SATURATION = 0.45
DEPTH_M = 0.05


def made_up_series(rows, seed):
    """Soil moisture in percent with rain, irrigation, spikes, breaks and plateaus, and its companions."""
    chance = np.random.default_rng(seed)
    # Wanders around 25 %, with the noise of a probe.
    wander = np.zeros(rows)
    steps = chance.normal(0, 0.03, rows)
    for hour in range(1, rows):
        wander[hour] = 0.998 * wander[hour - 1] + steps[hour]
    moisture = 25 + wander + chance.normal(0, 0.05, rows)
    rain = np.zeros(rows)
    hour = 0
    while True:
        hour += int(chance.integers(30, 200))
        if hour + 100 >= rows:
            break
        kind = chance.choice(["rain", "irrigation", "spike", "low", "high"], p=[0.5, 0.2, 0.1, 0.1, 0.1])
        length = int(chance.integers(8, 60))
        if kind in ("rain", "irrigation"):
            height = chance.uniform(1, 12)
            after = np.arange(min(400, rows - hour))
            moisture[hour : hour + 400] += height * np.exp(-after / chance.uniform(20, 80))
            if kind == "rain":
                rain[hour - 2 : hour + 1] = height / 2
        elif kind == "spike":
            moisture[hour] *= chance.choice([0.5, 0.7, 1.3, 1.6])
        elif kind == "low":
            moisture[hour : hour + length] = chance.uniform(0, 5)
        else:
            moisture[hour : hour + length] = 46 + chance.normal(0, 0.1, length)
    day = np.arange(rows) / 24
    season = 14 - 14 * np.cos(2 * np.pi * day / 365)
    air = season + 5 * np.sin(2 * np.pi * day) + chance.normal(0, 0.5, rows)
    return pd.DataFrame(
        {
            "soil_moisture": np.clip(moisture, -1, 70).round(1),
            "soil_temperature": (season + 2 * np.sin(2 * np.pi * (day - 0.2))).round(1),
            "air_temperature": air.round(1),
            "precipitation": rain.round(1),
        },
        index=pd.date_range("2015-01-01", periods=rows, freq="h", name="time"),
    )


def run_flagit(series):
    frame = series.copy()
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flagged = Interface(frame, sat_point=SATURATION * 100, depth_from=DEPTH_M).run()
    took = time.perf_counter() - begun
    return took, [codes - {"G"} for codes in flagged.qflag]


def run_plotwise(file, folder):
    command = [os.environ["PLOTWISE_BIN"], "flag", file, "--saturation", str(SATURATION), "--depth", str(DEPTH_M)]
    begun = time.perf_counter()
    with open(os.path.join(folder, "flagged.csv"), "wb") as out:
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=True)
    took = time.perf_counter() - begun
    flags = pd.read_csv(os.path.join(folder, "flagged.csv"), keep_default_na=False)["flags"]
    # Ours alone: S, and what other columns carry.
    ours = ({code for code in row.split(";") if code and code != "S" and ":" not in code} for row in flags)
    return took, list(ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    series = made_up_series(arguments.rows, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "series.csv")
        shares = series.assign(soil_moisture=(series.soil_moisture / 100).round(4))
        shares.rename(columns={"precipitation": "rain"}).to_csv(file, date_format="%Y-%m-%dT%H:%M:%SZ")
        theirs, ours = [], []
        for _ in range(arguments.rounds):
            took, wanted = run_flagit(series)
            theirs.append(took)
            took, found = run_plotwise(file, folder)
            ours.append(took)
    counts = Counter(code for row in wanted for code in row)
    differ = sum(a != b for a, b in zip(wanted, found))
    print(f"{arguments.rows} hourly rows, best of {arguments.rounds}")
    for name, took in (("flagit 0.3, computing alone", theirs), ("plotwise flag, the whole program", ours)):
        print(f"  {name:34} {min(took):9.3f} s {arguments.rows / min(took):12.0f} rows/s")
    print(f"  ratio {min(theirs) / min(ours):.0f}")
    print("  flags: " + ", ".join(f"{code} {count}" for code, count in sorted(counts.items())))
    print(f"  rows on which they disagree: {differ}")


main()
