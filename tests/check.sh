#!/usr/bin/env bash
# Every check of the project, in the order a reader wants to fail.
#
#   tests/check.sh            all of it
#   tests/check.sh --fast     formatting, lints, documentation and the crates' own tests
#
# Needs Rust 1.95, a C compiler, Python 3.9 and Node >= 20.19 with npm. Installs the Debian packages below where
# it may (as root on Debian or Ubuntu) and names what is missing where it may not.
# PLOTWISE_SHARED=DIR adds the tests on real data in that folder.
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGES=(mosquitto mosquitto-clients python3-venv chromium chromium-driver fonts-noto-cjk)

step() { printf '\n== %s\n' "$*"; }

has_package() {
  case $1 in
    mosquitto) command -v mosquitto || [ -x /usr/sbin/mosquitto ] ;;
    mosquitto-clients) command -v mosquitto_pub ;;
    python3-venv) python3 -c 'import ensurepip, venv' ;;
    chromium) command -v chromium ;;
    chromium-driver) command -v chromedriver ;;
    fonts-noto-cjk) ls /usr/share/fonts/opentype/noto/NotoSansCJK* || fc-list ':lang=zh' | grep . ;;
  esac >/dev/null 2>&1
}

require() {
  command -v "$1" >/dev/null || { echo "check.sh: $1 is missing: $2" >&2; exit 1; }
}

step "what is needed"
require cargo "install Rust 1.95 or later"
require cc "install a C compiler (Debian: apt-get install gcc libc6-dev)"
require python3 "install Python 3.9 or later"
require npm "install Node 20.19 or later with npm"
if [ "${1:-}" != --fast ]; then
  missing=()
  for package in "${PACKAGES[@]}"; do
    has_package "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      echo "installing Debian packages: ${missing[*]}"
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
      echo "check.sh: missing: ${missing[*]}" >&2
      echo "check.sh: install them (Debian: sudo apt-get install ${missing[*]}) and run this again" >&2
      exit 1
    fi
  fi
fi

step "formatting"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

step "pages"
(cd advisor/web && npm run --silent check)

if [ "${1:-}" = --fast ]; then
  step "the crates' own tests"
  cargo test --workspace --locked --exclude plotwise-tests
  exit
fi

step "other people's MQTT clients"
python3 -m venv target/clients
target/clients/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/clients/requirements.txt
if [ ! tests/clients/node_modules/.package-lock.json -nt tests/clients/package-lock.json ]; then
  (cd tests/clients && npm ci --silent --no-audit --no-fund)
fi

step "tests"
# The end-to-end tests start the real binary; it is built as users run it.
cargo build --release --locked --bin plotwise
cargo test --workspace --locked

step "licences, bans and sources of dependencies"
if ! cargo deny --version >/dev/null 2>&1; then
  echo "installing cargo-deny with cargo"
  cargo install --locked --quiet cargo-deny
fi
cargo deny --log-level error check bans licenses sources
