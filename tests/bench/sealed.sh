#!/usr/bin/env bash
# Measures sealing alone: bytes a reading before and after, and how fast blocks are made and read.
#
#   tests/bench/sealed.sh                              500 made-up sensors, a quarter-hour, 60 days
#   tests/bench/sealed.sh --days 7 --devices 50 --json FILE
#
# Fails where what is exported afterwards is not what was exported before; never because it took long.
# Needs Python 3.9 or later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here/.. PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/sealed.py" "$@"
