"""A Mosquitto that loses nothing for want of room."""

import os
import pathlib
import shutil

from .process import Failed, Process, free_port, listens, until


class Mosquitto:
    """A broker on a port of its own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None
        # As root it would become another user, whose the folder is not. Without persistence and with
        # the default queue of 1,000 messages it acknowledges what it then drops.
        (self.folder / "mosquitto.conf").write_text(
            f"""listener {self.port} 127.0.0.1
allow_anonymous true
user root
persistence true
persistence_location {self.folder}/
autosave_interval 1
max_inflight_messages 20000
max_queued_messages 10000000
set_tcp_nodelay true
log_dest file {self.folder}/broker.log
log_type error
log_type warning
log_type subscribe
"""
        )

    def start(self):
        program = shutil.which("mosquitto", path="/usr/sbin:" + os.environ["PATH"])
        if program is None:
            raise Failed("mosquitto is missing: install it (Debian: apt-get install mosquitto)")
        self.process = Process(
            "mosquitto",
            [program, "-c", self.folder / "mosquitto.conf"],
            self.folder / "mosquitto.log",
        )
        until("mosquitto listens", lambda: listens(self.port), process=self.process)
        return self.process

    def subscriptions(self):
        """How often somebody has subscribed since the folder was made."""
        log = self.folder / "broker.log"
        return log.read_text(errors="replace").count("plotwise/v1/+/up") if log.exists() else 0

    def has_subscriber(self, before=0):
        """Waits until somebody has subscribed: what is published earlier goes nowhere."""
        until("somebody subscribes", lambda: self.subscriptions() > before)

