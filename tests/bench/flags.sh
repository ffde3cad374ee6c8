#!/usr/bin/env bash
# Measures the quality flags: `plotwise flag` beside flagit, the ISMN's own code, on the same series.
#
#   tests/bench/flags.sh                  100,000 hourly rows, three rounds; prints a table
#   tests/bench/flags.sh --rows 20000     the same with other sizes
#
# flagit 0.3 is installed with the versions of pandas and numpy that it runs with, into a virtual
# environment outside the repository (PLOTWISE_CACHE, default ~/.cache/plotwise). Of flagit only its own
# computing is timed, of plotwise the whole program: start, reading, judging, writing. Also counts the
# rows on which the two disagree. Needs Python 3.9 to 3.12 with venv, and the built binary
# (cargo build --release --bin plotwise; another one: PLOTWISE_BIN).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
environment=${PLOTWISE_CACHE:-$HOME/.cache/plotwise}/flagit-0.3
if ! "$environment/bin/python" -c 'import flagit' 2>/dev/null; then
  echo "flags.sh: installing flagit 0.3 into $environment" >&2
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check 'flagit==0.3' 'pandas<2.2' 'numpy<2'
fi
PLOTWISE_BIN=${PLOTWISE_BIN:-$here/../../target/release/plotwise}
export PLOTWISE_BIN
[ -x "$PLOTWISE_BIN" ] || { echo "flags.sh: $PLOTWISE_BIN is missing: cargo build --release --bin plotwise" >&2; exit 1; }
exec "$environment/bin/python" "$here/flags.py" "$@"
