"""A publisher that writes down what was acknowledged, and what is stored of it."""

import calendar
import json
import signal
import subprocess
import time
from dataclasses import dataclass

from .plotwise import Plotwise
from .process import Failed, until

DEVICES = 200
QUANTITIES = 6
STEPS_MS = {"1s": 1_000, "15m": 900_000}

#: Long ago and apart, so that each round has times of its own: from here, a span for each.
EPOCH_MS = 1_780_000_000_000
SPAN_MS = 100_000_000


class Publisher:
    """`plotwise simulate` in the background."""

    def __init__(self, plotwise, nth, messages, to=None, devices=DEVICES, every="1s", receipts=None):
        self.plotwise = plotwise
        self.messages = messages
        self.devices = devices
        self.receipts = receipts or plotwise.folder / f"receipts-{nth}.csv"
        self.start_ms = EPOCH_MS + nth * SPAN_MS
        self.last_ms = self.start_ms + (messages - 1) // devices * STEPS_MS[every]
        words = plotwise.simulate(
            "--devices", devices, "--connections", 4, "--window", 1_000, "--messages", messages,
            "--every", every, "--start", rfc3339(self.start_ms), "--acknowledged", self.receipts,
            "--seed", nth, to=to, credentials=to is None)
        self.errors = open(f"{self.receipts}.log", "wb")
        self.child = subprocess.Popen(
            [str(word) for word in words], stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.report = None

    def has_begun(self):
        """Waits until something was acknowledged and written down."""
        def wrote():
            if self.child.poll() is not None:
                return True
            return self.receipts.exists() and self.receipts.stat().st_size > 0
        until("something is acknowledged", wrote, 60, pause_s=0.005)

    def stop(self):
        """Ends it early; what it was told by then is written down."""
        self.child.send_signal(signal.SIGINT)
        self._end(60)

    def finish(self):
        """Waits until everything is acknowledged."""
        if self._end(300) != 0:
            raise Failed(f"simulate: {open(self.errors.name, encoding='utf-8').read()}")

    def _end(self, patience_s):
        out, _ = self.child.communicate(timeout=patience_s)
        self.errors.close()
        self.report = json.loads(out) if out.strip() else {"sent": 0}
        return self.child.returncode

    def stored_devices(self):
        """Devices of which something of this round is stored."""
        return self.plotwise.query(
            f"select count(*) from last_seen where time_ms >= {self.start_ms}")[0]

    def is_stored(self):
        """Waits until the last message of every device is stored."""
        wanted = self.messages - (self.messages - 1) // self.devices * self.devices
        until(
            "the last messages are stored",
            lambda: self.plotwise.query(
                f"select count(*) from last_seen where time_ms >= {self.last_ms}")[0] >= wanted,
            patience_s=300,
            process=self.plotwise.service,
        )


@dataclass
class Found:
    """How the two compare."""

    sent: int
    acknowledged: int
    stored: int
    lost: int
    twice: int
    damaged: int
    example: str


def holds(plotwise: Plotwise, publisher: Publisher) -> Found:
    """What a publisher was told against what `export readings` gives of its span."""
    with open(publisher.receipts, encoding="ascii") as file:
        next(file)
        acknowledged = {line.strip() for line in file}
    to = publisher.start_ms + SPAN_MS
    exporting = subprocess.Popen(
        [str(word) for word in plotwise.command(
            "export", "readings", "--from", rfc3339(publisher.start_ms), "--to", rfc3339(to))],
        stdout=subprocess.PIPE, text=True)
    stored, twice = {}, 0
    next(exporting.stdout)
    last_time, last_ms = None, 0
    for line in exporting.stdout:
        device, time_text, _, quantity, _ = line.split(",", 4)
        if time_text != last_time:
            last_time, last_ms = time_text, milliseconds(time_text)
        quantities = stored.setdefault(f"{device},{last_ms}", [])
        twice += quantity in quantities
        quantities.append(quantity)
    if exporting.wait() != 0:
        raise Failed("plotwise export readings failed")
    lost = [one for one in acknowledged if one not in stored]
    return Found(
        sent=publisher.report["sent"],
        acknowledged=len(acknowledged),
        stored=len(stored),
        lost=len(lost),
        twice=twice,
        damaged=sum(len(quantities) != QUANTITIES for quantities in stored.values()),
        example=min(lost, default=""),
    )


def rfc3339(time_ms):
    """A moment as commands take it."""
    seconds, rest = divmod(time_ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03}Z"


def milliseconds(text):
    """The same the other way round; whole seconds, as these publishers measure."""
    whole, _, rest = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 1000 + (int(rest.ljust(3, "0")[:3]) if rest else 0)
