"""The plotwise binary on a data directory of its own, as its users run it."""

import json
import os
import pathlib
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

from .process import Failed, Process, free_port, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PLOTWISE_BIN", ROOT / "target" / "release" / "plotwise"))

#: May publish for every device.
GATEWAY = "gate"
COOPERATIVE = "bench"


class Plotwise:
    """Commands on a data directory, and a service on it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = None
        self.service = None
        self.token = None

    def command(self, *words):
        config = ["--config", self.config] if self.config else []
        return [BINARY, *words, *config, "--data", self.data]

    def run(self, *words, check=True):
        """A command to its end; what it printed."""
        done = subprocess.run(
            [str(word) for word in self.command(*words)],
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise Failed(f"plotwise {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout if check else done

    def settle(self, devices, plots=False):
        """A cooperative, so many devices and a gateway that publishes for them; on request each
        device on a plot of its own."""
        self.run("cooperatives", "add", COOPERATIVE, "--name", "Bench", "--timezone", "Asia/Shanghai")
        numbers = range(1, devices + 1)
        if plots:
            file = self.folder / "plots.csv"
            with open(file, "w", encoding="utf-8") as out:
                out.write("id,name,cooperative,land_type,area_mu,latitude,longitude\n")
                out.writelines(f"plot-{nth:04},{nth},{COOPERATIVE},dry,5,28.1,112.3\n"
                               for nth in numbers)
            self.run("import", "plots", file)
        file = self.folder / "devices.csv"
        with open(file, "w", encoding="utf-8") as out:
            out.write("device,cooperative,plot,profile\n")
            for nth in numbers:
                plot = f"plot-{nth:04}" if plots else ""
                out.write(f"sim-{nth:04},{COOPERATIVE},{plot},native\n")
        self.run("import", "devices", file)
        made = self.run("devices", "add", GATEWAY, "--cooperative", COOPERATIVE, "--gateway",
                        "--format", "json")
        self.token = json.loads(made)["token"]

    def link_to(self, broker_port, settings=""):
        """From now on the service reads from a broker and has no listener."""
        self.config = self.folder / "plotwise.toml"
        self.config.write_text(
            f"""
[mqtt.listener]
enabled = false
[[mqtt.link]]
url = "mqtt://127.0.0.1:{broker_port}"
client_id = "plotwise-bench"
cooperatives = ["{COOPERATIVE}"]
[[mqtt.link.subscription]]
filter = "plotwise/v1/+/up"
decoder = "native"
{settings}"""
        )

    def configure(self, settings):
        """From now on the service has these settings."""
        self.config = self.folder / "plotwise.toml"
        self.config.write_text(settings)

    def serve(self, environment=None, before=(), patience_s=60):
        """Starts the service, on the same addresses as before; waits until it is ready."""
        if not hasattr(self, "http"):
            self.http, self.mqtt = free_port(), free_port()
        addresses = ["--http", f"127.0.0.1:{self.http}", "--mqtt", f"127.0.0.1:{self.mqtt}"]
        self.service = Process(
            "plotwise",
            [*before, *self.command("serve", *addresses)],
            self.folder / "serve.log",
            environment,
        )
        until("plotwise is ready", self.is_ready, patience_s, process=self.service)
        return self.service

    def is_ready(self):
        try:
            return self.get("/readyz") is not None
        except OSError:
            return False

    def says(self):
        """What it says of its own state."""
        try:
            return self.get("/readyz").decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError as error:
            return f"nothing ({error})"

    def get(self, path):
        """The body of an answer of the service."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=60) as answer:
            return answer.read()

    def simulate(self, *words, to=None, credentials=True):
        """The command that publishes made-up readings."""
        port = to or self.mqtt
        known = ["--username", GATEWAY, "--password", self.token] if credentials else []
        return [BINARY, "simulate", "--to", f"mqtt://127.0.0.1:{port}", *known, *words]

    def query(self, sql):
        """One row of the readings, asked past the program; `None` while there is no such file."""
        path = self.data / "readings.db"
        if not path.exists():
            return None
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(sql).fetchone()
        finally:
            connection.close()

    def settled(self, patience_s=1200):
        """Waits until days are summarised, and seals everything; how things stand."""
        # Upkeep looks at everything when it starts, later once in an hour: this is that hour gone by.
        self.service.stop()
        self.serve()
        self._until_still("select count(*) from changed_day", patience_s)
        waiting = self._count("select count(*) from changed_day")
        summarised = "days summarised" if not waiting else f"{waiting:,} days not summarised"
        # The service would do it once the week has been over for two days.
        subprocess.run(self.command("store", "seal"), check=True, stdout=subprocess.DEVNULL)
        rows = self._count("select count(*) from observation")
        sealed = self._count("select coalesce(sum(observations), 0) from sealed")
        return f"{sealed:,} observations sealed, {rows:,} not; {summarised}"

    def _count(self, sql):
        return self.query(sql)[0]

    def _until_still(self, sql, patience_s):
        """Waits until a count is 0, or does not change for a minute and a half."""
        last, since, started = None, time.monotonic(), time.monotonic()
        while time.monotonic() - started < patience_s:
            count = self._count(sql)
            if count != last:
                last, since = count, time.monotonic()
            if count == 0 or time.monotonic() - since > 90:
                return
            time.sleep(0.5)

    def stored_by_each(self):
        """How many devices have reported, and the oldest of their latest times."""
        return self.query("select count(*), min(time_ms) from last_seen") or (0, None)

    def exported(self):
        """Stored (device, time) pairs with how many readings each has, through `export readings`."""
        done = subprocess.Popen(
            [str(word) for word in self.command("export", "readings")],
            stdout=subprocess.PIPE,
            text=True,
        )
        stored = {}
        next(done.stdout)
        for line in done.stdout:
            device, time, _ = line.split(",", 2)
            stored[device, time] = stored.get((device, time), 0) + 1
        if done.wait() != 0:
            raise Failed("plotwise export readings failed")
        return stored


def build():
    """Builds the binary unless PLOTWISE_BIN names one."""
    if "PLOTWISE_BIN" not in os.environ:
        subprocess.run(
            ["cargo", "build", "--quiet", "--release", "--locked", "--bin", "plotwise"],
            cwd=ROOT,
            check=True,
        )
