#!/bin/sh
# Makes .venv with arcferry and its twin in it, from uv.lock, every file checked by hash.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

for python in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    python=
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed (Debian 12: python3; or set PYTHON)"

# Debian ships Python without ensurepip, which python3-venv brings.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    [ "$(id -u)" = 0 ] || fail "this Python cannot make environments: ask an administrator for 'apt-get install $package'"
    say "installing $package"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
fi

say "making .venv with $("$python" --version)"
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python scripts/pinned.py uv > .venv/uv.txt
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt

# uv reads neither the system's certificates nor pip's configuration by itself, and a closed network
# has its own CA in the one and names its mirror in the other.
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1
mirror=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
[ -z "$mirror" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$mirror}"

.venv/bin/uv export -q --frozen --all-packages --all-groups --no-group kerberos --no-emit-workspace --format requirements.txt > .venv/requirements.txt
.venv/bin/uv pip sync -q --compile-bytecode --python .venv/bin/python --require-hashes .venv/requirements.txt
.venv/bin/uv pip install -q --python .venv/bin/python --offline --no-deps --no-build-isolation --editable . --editable lab
.venv/bin/python -m compileall -q src lab/src
touch .venv/.ready
say "ready: .venv/bin/arcferry"
