#!/usr/bin/env bash
# Fuzzes everything that reads what strangers write, a minute a target.
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]   60 and all of them; needs a C++ compiler; installs cargo-fuzz
#                                             with cargo; the first build takes some minutes
#
# The corpus that is kept stands in tests/fuzz/corpus; what a run finds beside it stays in target/. An
# input that breaks something is left in tests/fuzz/artifacts, and the script fails: mend it, with a test of
# what was promised, and put the input into the corpus.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(packets messages profiles files records)
command -v c++ >/dev/null || { echo "run.sh: no C++ compiler (Debian: apt-get install g++)" >&2; exit 1; }
if ! cargo fuzz --version >/dev/null 2>&1; then
  echo "installing cargo-fuzz with cargo"
  cargo install --locked --quiet cargo-fuzz
fi
# The sanitizers are unstable flags of the same compiler.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=../../target/fuzz
for target in "${targets[@]}"; do
  printf '\n== %s, %s s\n' "$target" "$seconds"
  found=../../target/fuzz-corpus/$target
  mkdir -p "$found" "corpus/$target"
  log=../../target/fuzz-corpus/$target.log
  # 10 s for one input is a hang; 1 GB is growth.
  status=0
  cargo fuzz run --fuzz-dir . "$target" "$found" "corpus/$target" -- -max_total_time="$seconds" \
    -timeout=10 -rss_limit_mb=1024 -max_len=8192 -print_final_stats=1 >"$log" 2>&1 || status=$?
  grep -E 'panicked|SUMMARY|stat::(number_of_executed_units|new_units_added|peak_rss_mb)' "$log" || true
  if [ "$status" != 0 ]; then
    tail -n 30 "$log" >&2
    echo "run.sh: $target failed; an input that breaks it is in tests/fuzz/artifacts/$target" >&2
    exit 1
  fi
done
