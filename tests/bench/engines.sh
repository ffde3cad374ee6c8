#!/usr/bin/env bash
# Builds what Plotwise is measured against: InfluxDB 2.7.12 and Telegraf 1.37.2.
#
#   tests/bench/engines.sh    builds what is not there yet and prints where it stands
#
# Both are built from their Go modules as published, into a cache outside the repository
# (PLOTWISE_CACHE, default ~/.cache/plotwise): some four minutes on two cores, 2 GB of Go and Rust
# caches. Telegraf gets the four plugins that the measurement uses and no others. Nothing of theirs is
# kept in the repository: what InfluxDB's go.mod asks for is copied from the module at run time.
#
# Needs Go 1.25 or later, Rust, a C compiler and Debian's pkg-config, which is installed where this
# user may.
set -euo pipefail

INFLUXDB=v2.7.12
TELEGRAF=v1.37.2
CACHE=${PLOTWISE_CACHE:-$HOME/.cache/plotwise}
BIN=$CACHE/bin

say() { printf 'engines.sh: %s\n' "$*" >&2; }

require() { command -v "$1" >/dev/null || { say "$1 is missing: $2"; exit 1; }; }

install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "missing: ${missing[*]}; install them (sudo apt-get install ${missing[*]}) and run this again"
    exit 1
  fi
  say "installing Debian packages: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# influxd cannot be had with `go install`: its go.mod replaces modules. A module around it that asks for
# the same versions and replaces the same ones builds the same program.
build_influxd() {
  local work=$CACHE/influxd-$INFLUXDB
  rm -rf "$work"
  mkdir -p "$work/tools"
  local theirs
  theirs=$(cd "$work" && go mod download -json "github.com/influxdata/influxdb/v2@$INFLUXDB" |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  sed 's|^module .*|module plotwise-bench/influxd|' "$theirs/go.mod" >"$work/go.mod"
  cp "$theirs/go.sum" "$work/go.sum"
  chmod u+w "$work/go.mod" "$work/go.sum"
  (cd "$work" && go mod edit -require "github.com/influxdata/influxdb/v2@$INFLUXDB")
  # Flux is a Rust library: Influx's own pkg-config builds it and tells the C linker where it is.
  say "installing Go module github.com/influxdata/pkg-config into $work/tools"
  GOBIN=$work/tools go install github.com/influxdata/pkg-config@latest
  # It denies warnings, and pins an old compiler in a file; today's compiler warns more.
  printf '#!/bin/sh\nexec "$@" --cap-lints warn\n' >"$work/tools/lenient"
  chmod +x "$work/tools/lenient"
  local toolchain=${RUSTUP_TOOLCHAIN:-}
  if [ -z "$toolchain" ] && command -v rustup >/dev/null; then
    toolchain=$(rustup default | cut -d' ' -f1)
  fi
  say "building influxd $INFLUXDB"
  (cd "$work" &&
    if [ -n "$toolchain" ]; then export RUSTUP_TOOLCHAIN=$toolchain; fi &&
    PKG_CONFIG=$work/tools/pkg-config RUSTC_WORKSPACE_WRAPPER=$work/tools/lenient \
      GOFLAGS="-mod=mod -buildvcs=false" \
      go build -tags sqlite_foreign_keys,sqlite_json -ldflags '-s -w' \
      -o "$BIN/influxd-$INFLUXDB" github.com/influxdata/influxdb/v2/cmd/influxd)
  rm -rf "$work"
}

build_telegraf() {
  say "building telegraf $TELEGRAF"
  local work=$CACHE/telegraf-$TELEGRAF
  mkdir -p "$work"
  GOBIN=$work go install -ldflags '-s -w' \
    -tags custom,inputs.mqtt_consumer,outputs.influxdb_v2,parsers.json_v2,serializers.influx \
    "github.com/influxdata/telegraf/cmd/telegraf@$TELEGRAF"
  mv "$work/telegraf" "$BIN/telegraf-$TELEGRAF"
  rm -rf "$work"
}

mkdir -p "$BIN"
if [ ! -x "$BIN/influxd-$INFLUXDB" ] || [ ! -x "$BIN/telegraf-$TELEGRAF" ]; then
  require go "install Go 1.25 or later"
  require cargo "install Rust 1.95 or later"
  require cc "install a C compiler (Debian: apt-get install gcc libc6-dev)"
fi
if [ ! -x "$BIN/influxd-$INFLUXDB" ]; then
  install_packages pkg-config
  build_influxd
fi
[ -x "$BIN/telegraf-$TELEGRAF" ] || build_telegraf
echo "$BIN/influxd-$INFLUXDB"
echo "$BIN/telegraf-$TELEGRAF"
