"""What is broken, case by case. Each gives outcomes: counts, and what is amiss."""

import contextlib
import os
import pathlib
import subprocess
import time
from dataclasses import dataclass, field

from rig.mosquitto import Mosquitto
from rig.plotwise import Plotwise
from rig.process import Failed, Process, until
from rig.traffic import DEVICES, Publisher, holds

#: Messages that the service is left to finish after a kill.
FINISHED = 60_000


class Skipped(Exception):
    """Cannot be done here, and why."""


@dataclass
class Context:
    """A folder to work in, a source of random moments, how often."""

    folder: pathlib.Path
    random: object
    rounds: int


@dataclass
class Outcome:
    """Sums over the rounds of a case."""

    case: str
    rounds: int = 0
    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    twice: int = 0
    integrity: str = "ok"
    process: str = "up"
    complaints: list = field(default_factory=list)

    def take(self, plotwise, publisher, must_have_all=True):
        """Holds what a publisher was told against what is stored."""
        found = holds(plotwise, publisher)
        self.rounds += 1
        self.sent += found.sent
        self.acknowledged += found.acknowledged
        self.stored += found.stored
        self.lost += found.lost
        self.twice += found.twice
        if found.lost:
            self.complaints.append(f"round {self.rounds}: {found.lost} lost, e.g. {found.example}")
        if found.damaged:
            self.complaints.append(f"round {self.rounds}: {found.damaged} not whole")
        if must_have_all and found.acknowledged != found.sent:
            self.complaints.append(
                f"round {self.rounds}: {found.sent - found.acknowledged} never acknowledged")
        verdict = plotwise.query("pragma integrity_check")[0]
        if verdict != "ok":
            self.integrity = "damaged"
            self.complaints.append(verdict)

    def process_is(self, words, is_well=True):
        self.process = words
        if not is_well:
            self.complaints.append(words)

    def row(self):
        return [self.case, self.rounds, *(f"{count:,}" for count in (
            self.sent, self.acknowledged, self.stored, self.lost, self.twice)), self.integrity,
            self.process]

    def is_well(self):
        return not self.complaints and not self.twice and self.rounds > 0


def kills_on_the_listener(context):
    """kill -9 while messages come; every other time the publisher goes on with the next process."""
    plotwise = Plotwise(context.folder / "plotwise")
    plotwise.settle(DEVICES)
    outcome = Outcome("kill -9, listener")
    for nth in range(context.rounds):
        service = plotwise.serve()
        goes_on = nth % 2 == 1
        publisher = Publisher(plotwise, nth, FINISHED if goes_on else 5_000_000)
        publisher.has_begun()
        time.sleep(context.random.uniform(0.0, 0.4 if goes_on else 2.0))
        service.kill()
        if not goes_on:
            publisher.stop()
        plotwise.serve()
        if goes_on:
            publisher.finish()
        outcome.take(plotwise, publisher, must_have_all=goes_on)
        plotwise.service.kill()
    return [outcome]


def kills_on_the_link(context):
    """kill -9 while messages come through a broker, which keeps what was not acknowledged."""
    broker = Mosquitto(context.folder / "mosquitto")
    broker.start()
    plotwise = Plotwise(context.folder / "plotwise")
    plotwise.settle(DEVICES)
    plotwise.link_to(broker.port)
    plotwise.serve()
    broker.has_subscriber()
    outcome = Outcome("kill -9, link")
    for nth in range(context.rounds):
        publisher = Publisher(plotwise, nth, FINISHED, to=broker.port)
        publisher.has_begun()
        time.sleep(context.random.uniform(0.0, 2.0))
        plotwise.service.kill()
        plotwise.serve()
        publisher.finish()
        publisher.is_stored()
        outcome.take(plotwise, publisher)
    plotwise.service.kill()
    broker.process.kill()
    return [outcome]


@contextlib.contextmanager
def mounted(folder, size_mb):
    """A small disk of its own."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "plotwise-fire", str(folder)],
        capture_output=True, check=False)
    if done.returncode != 0:
        raise Skipped("this user may not mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def a_full_disk(context):
    """The disk fills up under load, down to the limit of the settings and to the last byte; later there
    is room again."""
    outcomes = []
    # With the limit there is room left that is kept; without it there is none at all.
    for name, limit_mb, left_mb in [("disk at its limit", 200, 100), ("full disk", 0, 0)]:
        outcome = Outcome(name)
        with mounted(context.folder / name.replace(" ", "-"), 1024) as disk:
            plotwise = Plotwise(disk / "plotwise")
            plotwise.settle(DEVICES)
            plotwise.configure(f"[store]\ndisk_free_min_mb = {limit_mb}\n")
            service = plotwise.serve()
            ballast = disk / "ballast"
            publisher = Publisher(plotwise, 0, 2_000_000, receipts=context.folder / name)
            publisher.has_begun()
            fill(ballast, left_mb)
            until("the service says that it cannot write", lambda: not plotwise.is_ready(), 60,
                  process=service)
            print(f"{name}: the service says {plotwise.says()}")
            verdict = plotwise.query("pragma integrity_check")[0]
            if verdict != "ok":
                outcome.complaints.append(f"while the disk was full: {verdict}")
            ballast.unlink()
            publisher.finish()
            outcome.take(plotwise, publisher)
            outcome.process_is("up" if not service.has_ended() else "gone", not service.has_ended())
            service.kill()
        outcomes.append(outcome)
    return outcomes


def fill(ballast, left_mb):
    """Writes a file until the disk has so much room left, or none."""
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
        while left_mb == 0 or free_mb(ballast.parent) > left_mb:
            file.write(bytes(1 << 20))


def free_mb(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >> 20


def a_failing_disk(context):
    """Writes fail under load; the process is killed there, or the disk recovers."""
    python = "/usr/bin/python3"
    known = subprocess.run([python, "-c", "import fusepy"], capture_output=True, check=False)
    if known.returncode != 0:
        raise Skipped("Debian's python3-fusepy and fuse3 are not there")
    behind, seen = context.folder / "behind", context.folder / "seen"
    trigger = context.folder / "fails"
    behind.mkdir()
    seen.mkdir()
    disk = Process("failing disk", [python, pathlib.Path(__file__).parent / "failing_disk.py",
                                    behind, seen, trigger], context.folder / "disk.log")
    try:
        until("the disk is mounted", lambda: os.path.ismount(seen), 10, process=disk)
    except Failed as failure:
        raise Skipped(f"this user may not mount a disk by FUSE: {failure}") from None
    outcome = Outcome("failing disk")
    try:
        plotwise = Plotwise(seen / "plotwise")
        plotwise.settle(DEVICES)
        for nth in range(2):
            service = plotwise.serve()
            publisher = Publisher(plotwise, nth, 150_000, receipts=context.folder / f"receipts-{nth}")
            publisher.has_begun()
            time.sleep(context.random.uniform(0.1, 0.5))
            trigger.touch()
            # Long enough for a commit to fail, or the process to give up.
            with contextlib.suppress(Failed):
                until("the service says so", lambda: service.has_ended() or not plotwise.is_ready(),
                      20)
            said = "" if service.has_ended() else plotwise.says()
            print(f"failing disk: the service says {said or service.words(2)}")
            if nth == 0:
                service.kill()
                trigger.unlink()
                plotwise.serve()
            else:
                trigger.unlink()
                if service.has_ended():
                    said = service.words(2).strip()
                    outcome.process_is("gone, said why" if said else "gone", bool(said))
                    plotwise.serve()
            publisher.finish()
            outcome.take(plotwise, publisher)
            plotwise.service.kill()
    finally:
        trigger.unlink(missing_ok=True)
        subprocess.run(["fusermount3", "-u", "-z", str(seen)], check=False)
        disk.kill()
    return [outcome]


def a_broker_killed(context):
    """The broker is killed with its queue full and delivering, and starts again."""
    broker = Mosquitto(context.folder / "mosquitto")
    broker.start()
    plotwise = Plotwise(context.folder / "plotwise")
    plotwise.settle(DEVICES)
    plotwise.link_to(broker.port)
    plotwise.serve()
    broker.has_subscriber()
    outcome = Outcome("broker killed")
    for nth in range(max(1, context.rounds // 4)):
        plotwise.service.kill()
        publisher = Publisher(plotwise, nth, FINISHED, to=broker.port)
        publisher.finish()
        # The broker writes its queue down once a second; what it had not written is its own loss.
        time.sleep(3)
        plotwise.serve()
        until("the broker delivers", lambda: publisher.stored_devices() > 0, 60, pause_s=0.005)
        time.sleep(context.random.uniform(0.0, 1.0))
        broker.process.kill()
        broker.start()
        publisher.is_stored()
        outcome.take(plotwise, publisher)
    outcome.process_is("up" if not plotwise.service.has_ended() else "gone",
                       not plotwise.service.has_ended())
    plotwise.service.kill()
    broker.process.kill()
    return [outcome]


def a_clock_set_back(context):
    """The clock jumps back by two hours, then ahead again, under load."""
    library = pathlib.Path("/usr/lib") / f"{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1"
    if not library.exists():
        raise Skipped("Debian's faketime is not there")
    plotwise = Plotwise(context.folder / "plotwise")
    plotwise.settle(DEVICES)
    offset = context.folder / "offset"
    offset.write_text("+0\n")
    service = plotwise.serve({
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    })
    outcome = Outcome("clock set back 2 h")
    publisher = Publisher(plotwise, 0, 2 * FINISHED)
    publisher.has_begun()
    for jump in ("-2h", "+0"):
        time.sleep(context.random.uniform(0.05, 0.3))
        # A file that is replaced is never read half written.
        (context.folder / "next").write_text(jump + "\n")
        (context.folder / "next").rename(offset)
    publisher.finish()
    outcome.take(plotwise, publisher)
    outcome.process_is("up" if not service.has_ended() else "gone", not service.has_ended())
    service.kill()
    return [outcome]


def a_backlog_at_once(context):
    """A day of 2,000 devices at a quarter-hour, all at once, on both paths."""
    outcomes = []
    for path in ("listener", "link"):
        folder = context.folder / path
        plotwise = Plotwise(folder / "plotwise")
        plotwise.settle(2_000)
        to = None
        if path == "link":
            broker = Mosquitto(folder / "mosquitto")
            broker.start()
            plotwise.link_to(broker.port)
            to = broker.port
        plotwise.serve()
        if to:
            # Known to the broker, then away while the backlog gathers.
            broker.has_subscriber()
            plotwise.service.kill()
        publisher = Publisher(plotwise, 0, 2_000 * 96, to=to, devices=2_000, every="15m")
        publisher.finish()
        if to:
            plotwise.serve()
            publisher.is_stored()
        outcome = Outcome(f"24 h at once, {path}")
        outcome.take(plotwise, publisher)
        outcome.process_is(f"up, {plotwise.service.peak_kb() // 1024} MB")
        outcomes.append(outcome)
        plotwise.service.kill()
        if to:
            broker.process.kill()
    return outcomes
