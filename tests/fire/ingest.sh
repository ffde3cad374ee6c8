#!/usr/bin/env bash
# Breaks things while messages come in, and holds what was acknowledged against what is stored.
#
#   tests/fire/ingest.sh               everything, 20 rounds of kill -9 on each path; some ten minutes
#   tests/fire/ingest.sh --rounds 3    a short version
#   tests/fire/ingest.sh --only kills-listener,full-disk --seed 7
#
# Prints a line a case: messages sent, acknowledged, stored, acknowledged but not stored, stored twice,
# what SQLite's integrity check says, and whether the process lived. Fails where something acknowledged
# is not stored, something is stored twice, the file is damaged, or the process is gone without a word.
#
# Needs mosquitto and Python 3.9 or later. The full disk needs root (a mount); the clock needs Debian's
# faketime; the failing disk needs Debian's python3-fusepy and fuse3: what is not there is skipped with
# a word, and installed first where this user is root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
for package in mosquitto faketime python3-fusepy fuse3; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing Debian packages: ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
PYTHONPATH=$here/.. PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/ingest.py" "$@"
