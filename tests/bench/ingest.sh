#!/usr/bin/env bash
# Measures taking messages in: Plotwise's listener, Plotwise behind Mosquitto, and Mosquitto + Telegraf
# + InfluxDB, under the same load, counted by what is stored.
#
#   tests/bench/ingest.sh                      all of it, some ten minutes; prints a table
#   tests/bench/ingest.sh --json FILE          the same with every single run in a file
#   tests/bench/ingest.sh --only listener,link --messages 1000000 --rounds 5
#   tests/bench/ingest.sh --help
#
# Fails where something is stored twice, not at all, or not as often as it was sent; never because it
# took long. Run it on a machine that does nothing else. Needs what tests/bench/engines.sh names,
# mosquitto and Python 3.9 or later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case " $* " in *" --only listener "* | *" --only link "* | *" --only listener,link "* | *" --help "*) ;;
  *) "$here/engines.sh" >/dev/null ;;
esac
PYTHONPATH=$here/.. PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/ingest.py" "$@"
