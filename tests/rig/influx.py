"""InfluxDB 2 and Telegraf as somebody would set them up who knows them and wants them to look good."""

import http.client
import json
import os
import pathlib
import time
import urllib.parse

from .process import Failed, Process, free_port, listens, until

CACHE = pathlib.Path(os.environ.get("PLOTWISE_CACHE", pathlib.Path.home() / ".cache" / "plotwise"))
INFLUXD = CACHE / "bin" / "influxd-v2.7.12"
TELEGRAF = CACHE / "bin" / "telegraf-v1.37.2"
TOKEN, ORGANIZATION, BUCKET = "bench-token", "bench", "bench"

#: What is set apart from the defaults, for the report.
INFLUXD_SETTINGS = "no tasks, no UI, no metrics, log level error; WAL synced at every write (default)"
TELEGRAF_SETTINGS = (
    "mqtt_consumer QoS 1, persistent session, max_undelivered_messages 10000; json_v2; batches of "
    "5000, flushed when full and every 200 ms; no compression on loopback"
)


class Influx:
    """An InfluxDB on a port of its own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None

    def start(self, *settings):
        """Starts it and sets it up where it is new."""
        if not INFLUXD.exists():
            raise Failed(f"{INFLUXD} is missing: tests/bench/engines.sh builds it")
        is_new = not (self.folder / "influxd.bolt").exists()
        self.process = Process(
            "influxd",
            [
                INFLUXD, "run",
                "--bolt-path", self.folder / "influxd.bolt",
                "--sqlite-path", self.folder / "influxd.sqlite",
                "--engine-path", self.folder / "engine",
                "--http-bind-address", f"127.0.0.1:{self.port}",
                "--reporting-disabled", "--no-tasks", "--ui-disabled", "--metrics-disabled",
                "--pprof-disabled", "--log-level", "error", *settings,
            ],
            self.folder / "influxd.log",
        )
        until("influxd listens", lambda: listens(self.port), process=self.process)
        until("influxd is ready", lambda: self.request("GET", "/health")[0] == 200)
        if is_new:
            self._set_up()
        return self.process

    def _set_up(self):
        wanted = {
            "username": "bench", "password": "bench-password", "org": ORGANIZATION,
            "bucket": BUCKET, "token": TOKEN,
        }
        status, body = self.request("POST", "/api/v2/setup", json.dumps(wanted))
        if status != 201:
            raise Failed(f"influxd cannot be set up: {status} {body}")

    def request(self, method, path, body=None, connection=None):
        one = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=3600)
        one.request(method, path, body, {"Authorization": f"Token {TOKEN}"})
        answer = one.getresponse()
        return answer.status, answer.read()

    def influxql(self, query):
        """The answer to InfluxQL, as bytes, and the seconds until all of it was there."""
        path = "/query?" + urllib.parse.urlencode({"db": BUCKET, "q": query, "epoch": "ms"})
        started = time.perf_counter()
        status, body = self.request("GET", path)
        took = time.perf_counter() - started
        if status != 200:
            raise Failed(f"InfluxQL {query}: {status} {body[:500]}")
        return body, took

    def count(self, field):
        """Rows that have this field."""
        body, _ = self.influxql(f'SELECT count("{field}") FROM readings')
        series = json.loads(body)["results"][0].get("series")
        return series[0]["values"][0][1] if series else 0

    def latest(self, devices):
        """The latest stored time of each of these devices, milliseconds since 1970."""
        names = "|".join(devices)
        body, _ = self.influxql(
            f'SELECT last("soil_moisture") FROM readings WHERE device =~ /^({names})$/ GROUP BY device'
        )
        series = json.loads(body)["results"][0].get("series", [])
        return {one["tags"]["device"]: one["values"][0][0] for one in series}


def start_telegraf(folder, broker_port, influx):
    """Telegraf between a broker and an InfluxDB."""
    if not TELEGRAF.exists():
        raise Failed(f"{TELEGRAF} is missing: tests/bench/engines.sh builds it")
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "telegraf.conf").write_text(
        f"""[agent]
  interval = "200ms"
  flush_interval = "200ms"
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  omit_hostname = true
  quiet = true

[[outputs.influxdb_v2]]
  urls = ["http://127.0.0.1:{influx.port}"]
  token = "{TOKEN}"
  organization = "{ORGANIZATION}"
  bucket = "{BUCKET}"
  content_encoding = "identity"

[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{broker_port}"]
  topics = ["plotwise/v1/+/up"]
  qos = 1
  persistent_session = true
  client_id = "telegraf-bench"
  max_undelivered_messages = 10000
  topic_tag = ""
  data_format = "json_v2"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "plotwise/v1/+/up"
    tags = "_/_/device/_"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "readings"
    timestamp_path = "time"
    timestamp_format = "unix_ms"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "readings"
"""
    )
    return Process("telegraf", [TELEGRAF, "--config", folder / "telegraf.conf"], folder / "telegraf.log")
