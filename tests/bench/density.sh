#!/usr/bin/env bash
# Measures what readings take on disk and how fast they come back, in Plotwise and in InfluxDB: 2,000
# made-up sensors, six quantities every quarter of an hour for 30 days, the same data in both.
#
#   tests/bench/density.sh                             some fifteen minutes, 4 GB of disk meanwhile
#   tests/bench/density.sh --days 7 --devices 500      a smaller field; the output says so
#   tests/bench/density.sh --json FILE
#
# Fails where the two do not hold the same number of readings; never because it took long. Needs what
# tests/bench/engines.sh names and Python 3.9 or later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/engines.sh" >/dev/null
PYTHONPATH=$here/.. PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/density.py" "$@"
