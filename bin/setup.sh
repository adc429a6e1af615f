# Functions of bin/setup, bin/demo, bin/test and bench/run: packages, the docker client and its compose plugin, an
# engine, the virtual environment. Source this file (POSIX sh, set -eu) after setting $top to the checkout.
# Each need_* function does nothing if nothing is missing.
# shellcheck shell=sh disable=SC2154

compose_minimum=2.20
plugin_suite=trixie # the oldest Debian with a package of Compose 2; its plugin works with Debian 12's libc6
dpkg_folder=/var/lib/dpkg
policy=/usr/sbin/policy-rc.d

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 3; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "this step needs root, and there is no sudo; run it as root: $*"
    fi
}

# alone COMMAND…: run it while no other of these scripts installs anything; apt itself does not wait.
alone() {
    [ -z "${is_alone:-}" ] || { "$@"; return; }
    is_alone=yes
    {
        flock 9
        "$@"
    } 9<"$dpkg_folder"
    is_alone=
}

update_lists() {
    [ -z "${updated:-}" ] || return 0
    as_root apt-get update -qq || die "apt-get update failed: check /etc/apt/sources.list*"
    updated=yes
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        die "apt-get could not install $*"
}

# candidate PACKAGE: print the version that apt would install; print nothing if apt has none.
candidate() { LC_ALL=C apt-cache policy "$1" | sed -n -e '/(none)/d' -e 's/^  Candidate: //p'; }

missing() { ! PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null; }

# need_packages COMMAND=PACKAGE…: install the Debian package of each command that is missing.
need_packages() {
    wanted=
    for pair; do
        ! missing "${pair%%=*}" || wanted="$wanted ${pair#*=}"
    done
    [ -n "$wanted" ] || return 0
    command -v apt-get >/dev/null || die "this is neither Debian nor Ubuntu; install by hand:$wanted"
    say "installing$wanted …"
    alone update_lists
    # shellcheck disable=SC2086 # a list of package names
    alone apt_install $wanted
}

# unstarted COMMAND…: run it; the servers that it installs do not start, neither now nor at the next boot.
unstarted() { alone without_starting "$@"; }

without_starting() {
    enabled_before=" $(enabled_units) "
    # An administrator's own policy stays. If one of ours exists already, a killed run left it.
    if [ ! -e "$policy" ] || grep -q darkpeak "$policy"; then
        trap 'as_root rm -f "$policy"' EXIT
        printf '#!/bin/sh\n# darkpeak: no server starts while packages are installed\nexit 101\n' |
            as_root install -m 755 /dev/stdin "$policy"
    fi
    "$@"
    ! grep -qs darkpeak "$policy" || as_root rm -f "$policy"
    trap - EXIT
    for unit in $(enabled_units); do
        case $enabled_before in *" $unit "*) ;; *) as_root systemctl disable --quiet "$unit" ;; esac
    done
}

enabled_units() {
    [ -d /run/systemd/system ] || return 0
    systemctl list-unit-files --state=enabled --no-legend | cut -d ' ' -f 1 | tr '\n' ' '
}

# From Debian 13 on, the client has its own package; in Debian 12 and Ubuntu, docker.io has client and engine.
need_client() {
    missing docker || return 0
    command -v apt-get >/dev/null || die "this is neither Debian nor Ubuntu; install the docker client by hand"
    alone update_lists
    if [ -n "$(candidate docker-cli)" ]; then need_packages docker=docker-cli; else unstarted need_packages docker=docker.io; fi
}

compose_is_new_enough() {
    have=$(docker compose version --short 2>/dev/null) || return 1
    have=${have#v}
    [ "$(printf '%s\n%s\n' "$compose_minimum" "$have" | sort -V | head -n 1)" = "$compose_minimum" ]
}

need_compose() {
    compose_is_new_enough && return 0
    say "installing docker compose ≥ $compose_minimum …"
    command -v apt-get >/dev/null || die "install the docker compose plugin, $compose_minimum or newer, by hand"
    alone install_compose
    compose_is_new_enough || die "docker compose is still older than $compose_minimum: is another plugin in ~/.docker/cli-plugins?"
}

# Install the package that is new enough: Ubuntu's, Debian's from 13 on, or that of a newer Debian.
install_compose() {
    update_lists
    for package in docker-compose-v2 docker-compose; do
        version=$(candidate "$package")
        if [ -n "$version" ] && dpkg --compare-versions "$version" ge "$compose_minimum"; then
            apt_install "$package"
            return
        fi
    done
    mirror=$(debian_mirrors | head -n 1)
    [ -n "$mirror" ] || die "apt has no docker compose ≥ $compose_minimum: on Ubuntu, run 'add-apt-repository universe', then run this again; on other systems, install the plugin by hand"
    install_newer_compose "$mirror"
}

# install_newer_compose MIRROR: install the plugin of $plugin_suite from a mirror that this machine's Debian uses.
install_newer_compose() {
    scratch=$(mktemp -d)
    mkdir -p "$scratch/lists/partial" "$scratch/archives/partial"
    chmod -R a+rX "$scratch" # apt downloads as its own user
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
        "$1" "$plugin_suite" >"$scratch/sources.list"
    set -- "$1" -qq -o "Dir::Etc::SourceList=$scratch/sources.list" -o Dir::Etc::SourceParts=- \
        -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache::Archives=$scratch/archives" \
        -o "Dir::Cache::pkgcache=$scratch/pkgcache.bin" -o "Dir::Cache::srcpkgcache=$scratch/srcpkgcache.bin"
    mirror=$1
    shift
    as_root apt-get "$@" update || die "cannot read $plugin_suite's package lists from $mirror"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" install -y --no-install-recommends docker-compose \
        >/dev/null || die "apt-get could not install $plugin_suite's docker-compose"
    as_root rm -rf "$scratch"
}

debian_mirrors() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Identifier: Packages' 2>/dev/null |
        sed -n 's/^Debian|//p' | sort -u
}

# The programs that build the Debian base image if no registry can be reached.
need_base_builder() {
    need_packages mmdebstrap=mmdebstrap
    [ "$(id -u)" -eq 0 ] || need_packages newuidmap=uidmap # with it, mmdebstrap does not need root
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || need_packages "the keyring=debian-archive-keyring"
}

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# need_engine SCRIPT'S ARGUMENTS…: if the caller's engine (DOCKER_HOST, docker context) does not answer, start this
# machine's own.
need_engine() {
    engine_answers && return 0
    [ -z "${DOCKER_HOST:-}" ] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST"
    need_packages dockerd=docker.io iptables=iptables pgrep=procps
    if [ -d /run/systemd/system ]; then
        as_root systemctl enable --quiet --now docker || die "systemctl start docker failed: see journalctl -u docker"
    elif ! pgrep -x dockerd >/dev/null; then
        start_engine
    fi
    if [ "$(id -u)" -ne 0 ] && ! id -nG | grep -qw docker; then
        [ -z "${regrouped:-}" ] || die "$(id -un) is not in the group docker before the next login: log in again, then run this again"
        say "adding $(id -un) to the group docker (its members are as powerful as root)"
        as_root usermod -aG docker "$(id -un)"
        # Start the script again, with the new group as after a login. (sg would make it the first group, which
        # mmdebstrap cannot map.)
        export regrouped=yes
        exec sudo -E -u "$(id -un)" -- "$0" "$@"
    fi
    waited=0
    until engine_answers; do
        [ "$waited" -lt 60 ] || die "the engine does not answer after 60 s: see /var/log/dockerd.log or journalctl -u docker"
        sleep 1
        waited=$((waited + 1))
    done
}

# For machines without systemd.
start_engine() {
    need_packages ip=iproute2
    say "starting the Docker engine (log: /var/log/dockerd.log) …"
    fit_small_link
    # The socket file of a killed engine does no harm, but its pid file does.
    as_root rm -f /var/run/docker.pid
    # shellcheck disable=SC2016 # the inner shell expands it
    as_root sh -c 'setsid dockerd --mtu "$1" >>/var/log/dockerd.log 2>&1 </dev/null &' sh "$mtu"
}

# Set $mtu for the engine's own network. Containers' networks have an MTU of 1500. If this machine's link has less, large
# answers never arrive in a container, and downloads hang. Before engine 24, networks that compose makes ignore the
# engine's setting, so the kernel also limits the packets of each connection.
fit_small_link() {
    mtu=1500
    link=$(ip -o route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
    [ -n "$link" ] || return 0
    mtu=$(ip -o link show dev "$link" | sed -n 's/.* mtu \([0-9]*\).*/\1/p')
    [ "$mtu" -lt 1500 ] || { mtu=1500; return 0; }
    set -- FORWARD -o "$link" -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
    as_root iptables --wait -t mangle -C "$@" 2>/dev/null || as_root iptables --wait -t mangle -A "$@"
}

# What bin/darkpeak needs on this machine. pip and apt work side by side, since each uses one processor.
need_tools() {
    trap wait EXIT
    { need_base_builder; need_client; need_compose; } & packages=$!
    need_venv requirements.txt
    wait "$packages"
    trap - EXIT
}

# need_venv REQUIREMENTS: make .venv, with the pinned packages and this checkout.
need_venv() {
    stamp=$(cat "$top/$1" "$top/pyproject.toml" | sha256sum)
    [ "$(cat "$top/.venv/stamp-$1" 2>/dev/null)" != "$stamp" ] || return 0
    find_python
    "$python" -c 'import ensurepip, venv' 2>/dev/null || need_packages "its venv=$python-venv"
    say "making the virtual environment …"
    [ -x "$top/.venv/bin/python" ] || "$python" -m venv "$top/.venv"
    "$top/.venv/bin/pip" install -qq --disable-pip-version-check --require-hashes -r "$top/$1" ||
        die "pip could not install $1"
    "$top/.venv/bin/pip" install -qq --disable-pip-version-check --no-deps --no-build-isolation -e "$top" ||
        die "pip could not install the checkout"
    printf '%s\n' "$stamp" >"$top/.venv/stamp-$1"
}

# Set $python.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || return 0
    done
    die "Python 3.11 or newer is needed, and this machine has $(python3 --version 2>&1 || true): on Ubuntu 22.04, run" \
        "'apt-get install python3.11 python3.11-venv' (they are in universe), then run this again"
}
