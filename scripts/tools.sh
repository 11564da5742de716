#!/bin/sh
# Brings what the twin's hosts and the tests need beyond Python.
#
# An SSH server, BIRD, dnsmasq and nftables are unpacked into .tools, not installed: installing them would
# start them.
# With rights, Wine and, for the tests, the programs that they compare against are installed; without,
# what needs them is skipped by name.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

refresh() {
    [ "$(id -u)" != 0 ] || [ -n "${refreshed:-}" ] || apt-get update -qq || true
    refreshed=1
}

unpack() {
    refresh
    mkdir -p .tools/download
    if (cd .tools/download && apt-get download -qq -o APT::Sandbox::User=root "$@" >/dev/null); then
        for file in .tools/download/*.deb; do dpkg-deb -x "$file" .tools; done
    else
        say "could not fetch $*: what needs them is skipped by name"
    fi
    rm -rf .tools/download
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$'; }

# the packages given, with the libraries that they need and this machine lacks
with_libraries() {
    refresh
    wanted="$*" new="$*"
    while [ -n "$new" ]; do
        # shellcheck disable=SC2086 # a list of names, none with a space
        needed=$(apt-cache depends $new 2>/dev/null | sed -n 's/^ *Depends: \(lib[^ <]*\)$/\1/p' | sort -u)
        new=
        for name in $needed; do
            case " $wanted " in *" $name "*) continue ;; esac
            installed "$name" || { wanted="$wanted $name" new="$new $name"; }
        done
    done
    printf '%s\n' "$wanted"
}

has apt-get || { say "no apt-get here: using only what is installed"; exit 0; }

if ! has sshd && [ ! -x .tools/usr/sbin/sshd ]; then
    say "unpacking openssh-server into .tools (it is not installed, and does not start)"
    unpack openssh-server openssh-sftp-server libwrap0
fi

routers=
for pair in bird:bird2 dnsmasq:dnsmasq-base nft:nftables ip:iproute2; do
    has "${pair%%:*}" || [ -x ".tools/usr/sbin/${pair%%:*}" ] || [ -x ".tools/sbin/${pair%%:*}" ] || routers="$routers ${pair#*:}"
done
if [ -n "$routers" ]; then
    say "unpacking$routers into .tools (not installed, and not started)"
    # shellcheck disable=SC2046,SC2086 # lists of names, none with a space
    unpack $(with_libraries $routers)
fi

# Windows hosts: Wine, what builds their agent, and a PowerShell for Windows that lies beside this checkout.
engine=../shared/tools/powershell/powershell-7.6.9-win-x64.tar.xz
engine_sha256=d8270acf93ba12442cb5a9d607fde3b8481acc47dc42741940a28170f564562c
windows="wine:wine wineserver:wine64 x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64-win32 wixl:wixl
    osslsigncode:osslsigncode"
lay_out_engine() {
    [ "$(cat .tools/windows/engine.sha256 2>/dev/null)" != "$engine_sha256" ] || return 0
    if ! printf '%s  %s\n' "$engine_sha256" "$engine" | sha256sum --check --status; then
        say "$engine is not the file it should be: Windows hosts are skipped by name"
        windows=
        return 0
    fi
    say "unpacking PowerShell for Windows into .tools"
    rm -rf .tools/windows/powershell .tools/windows/engine.sha256
    mkdir -p .tools/windows/powershell
    tar -xf "$engine" -C .tools/windows/powershell
    printf '%s\n' "$engine_sha256" >.tools/windows/engine.sha256
}
if [ -e "$engine" ] || [ -e .tools/windows/engine.sha256 ]; then
    lay_out_engine
else
    say "no PowerShell for Windows beside this checkout ($engine): Windows hosts are skipped by name"
    windows=
fi

# Kerberos for the twin's WinRM: a KDC, which is unpacked so that it does not start, and Python's bindings to
# Kerberos, which are built here.
build_kerberos() {
    if ! has krb5-config || ! has gcc; then
        [ "$(id -u)" = 0 ] || { say "no compiler or no libkrb5-dev: Kerberos is skipped by name"; return 0; }
        say "installing what builds Python's bindings to Kerberos"
        refresh
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            libkrb5-dev gcc libc6-dev python3-dev >/dev/null || { say "could not: Kerberos is skipped by name"; return 0; }
    fi
    [ ! -e /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1
    mirror=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
    [ -z "$mirror" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$mirror}"
    say "building Python's bindings to Kerberos"
    .venv/bin/uv export -q --frozen --only-group kerberos --no-emit-workspace --format requirements.txt >.venv/kerberos.txt
    .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r .venv/kerberos.txt ||
        say "could not: Kerberos is skipped by name"
}
if [ "${1:-}" = test ]; then
    if ! has krb5kdc && [ ! -x .tools/usr/sbin/krb5kdc ]; then
        say "unpacking krb5-kdc into .tools (not installed, and not started)"
        # Debian 13 has a suffix to the name of its event loop's library, which no dependency names outright.
        loop=$(apt-cache search --names-only '^libverto-libev1(t64)?$' | cut -d ' ' -f 1)
        # shellcheck disable=SC2046,SC2086 # lists of names, none with a space
        unpack $(with_libraries krb5-kdc krb5-admin-server $loop)
    fi
    [ ! -x .venv/bin/uv ] || .venv/bin/python -c 'import gssapi, krb5' 2>/dev/null || build_kerberos
fi

tests=
[ "${1:-}" != test ] || tests="busybox:busybox dig:bind9-dnsutils host:bind9-host minisign:minisign rpm:rpm
    shellcheck:shellcheck strace:strace unzip:unzip gpg:gnupg apt-ftparchive:apt-utils
    createrepo_c:createrepo-c msiinfo:msitools osslsigncode:osslsigncode wixl:wixl
    x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64-win32 chromium:chromium ip:iproute2 openssl:openssl
    wget:wget nft:nftables update-locale:locales
    systemd-analyze:systemd"
missing=
for pair in $windows $tests; do
    has "${pair%%:*}" || missing="$missing ${pair#*:}"
done
# the Node that Playwright brings is linked against it
[ "${1:-}" != test ] || installed libatomic1 || missing="$missing libatomic1"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    say "installing$missing"
    refresh
    # shellcheck disable=SC2086 # a list of names, none with a space
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || say "could not install$missing"
else
    say "not installed, so what needs them is skipped by name:$missing"
fi
