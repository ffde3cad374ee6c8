#!/usr/bin/env bash
# Measures reading back: a plot's year by the hour from the API, and importing recorded readings.
#
#   tests/bench/api.sh                                  a year of one sensor, made up
#   PLOTWISE_SHARED=DIR tests/bench/api.sh --json FILE  also the 110,254 real rows of the Cook Agronomy Farm
#
# Fails where what comes back is not what was sent; never because it took long. Needs Python 3.9 or
# later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here/.. PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/api.py" "$@"
