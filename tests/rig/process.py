"""Processes that a measurement starts: what they cost, and that none of them is left behind."""

import atexit
import os
import signal
import socket
import subprocess
import time

_running = []


def _end_all():
    for process in list(_running):
        process.kill()


atexit.register(_end_all)
# A terminated script ends as an interrupted one does, so that the line above is reached.
signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))


class Failed(Exception):
    """Something without which a measurement means nothing."""


class Process:
    """A running program; its words go to a file."""

    def __init__(self, name, command, log, environment=None):
        self.name = name
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **(environment or {})},
            )
        _running.append(self)

    @property
    def pid(self):
        return self.child.pid

    def cpu_seconds(self):
        """User and system time of all its threads, those that have ended too."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            # The name in parentheses may hold anything.
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status_kb(self, key):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        raise Failed(f"{self.name} has ended")

    def rss_kb(self):
        return self._status_kb("VmRSS")

    def peak_kb(self):
        return self._status_kb("VmHWM")

    def has_ended(self):
        return self.child.poll() is not None

    def words(self, last=20):
        """The last lines that it wrote."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-last:])

    def kill(self):
        """SIGKILL."""
        self._end(signal.SIGKILL, 30)

    def stop(self, patience_s=30):
        """SIGTERM; its exit code."""
        return self._end(signal.SIGTERM, patience_s)

    def _end(self, how, patience_s):
        if self in _running:
            _running.remove(self)
        if not self.has_ended():
            self.child.send_signal(how)
        try:
            return self.child.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise Failed(f"{self.name} did not end within {patience_s} s of a signal") from None


def free_port():
    """A port that was free a moment ago, below those that systems give to outgoing connections."""
    for _ in range(1000):
        port = 20_000 + int.from_bytes(os.urandom(2), "big") % 12_000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no free port")


def until(what, is_so, patience_s=60, pause_s=0.02, process=None):
    """Asks again and again until something is so; how long that took, seconds."""
    started = time.monotonic()
    while not is_so():
        if process is not None and process.has_ended():
            raise Failed(f"{process.name} ended before {what}:\n{process.words()}")
        if time.monotonic() - started > patience_s:
            words = f":\n{process.words()}" if process else ""
            raise Failed(f"waited {patience_s} s until {what}{words}")
        time.sleep(pause_s)
    return time.monotonic() - started


def listens(port):
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
