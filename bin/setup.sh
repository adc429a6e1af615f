# What bin/demo and bin/test share: Debian's packages, the compose plugin, an engine, the virtual environment.
# To be sourced (POSIX sh, set -eu) with $top, the checkout, already set. Each need_* does nothing where there is nothing to do.
# shellcheck shell=sh disable=SC2154

compose_minimum=2.20
plugin_suite=trixie # the oldest Debian that packages Compose 2; its plugin needs no more than Debian 12's libc6

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 3; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "this step needs root and there is no sudo: run it as root: $*"
    fi
}

# need_packages COMMAND=PACKAGE…: install the Debian package of each command that is missing.
need_packages() {
    missing=
    for pair; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%=*}" >/dev/null || missing="$missing ${pair#*=}"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "not a Debian system; install by hand:$missing"
    say "installing$missing …"
    as_root apt-get update -qq || die "apt-get update failed: look at /etc/apt/sources.list*"
    # shellcheck disable=SC2086 # a list of package names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        die "apt-get could not install:$missing"
}

# Debian 12's docker.io holds client and engine; from Debian 13 on the client is apart.
need_client() {
    need_packages docker=docker.io
    need_packages docker=docker-cli
}

compose_is_new_enough() {
    have=$(docker compose version --short 2>/dev/null) || return 1
    have=${have#v}
    [ "$(printf '%s\n%s\n' "$compose_minimum" "$have" | sort -V | head -n 1)" = "$compose_minimum" ]
}

# The plugin comes from this machine's own Debian mirror, with the suite changed where this release has no Compose 2.
need_compose() {
    compose_is_new_enough && return 0
    say "installing docker compose ≥ $compose_minimum …"
    command -v apt-get >/dev/null || die "install the docker compose plugin, $compose_minimum or newer, by hand"
    [ -n "$(debian_mirrors)" ] || as_root apt-get update -qq
    mirror=$(debian_mirrors | head -n 1)
    [ -n "$mirror" ] || die "no Debian mirror among apt's sources: install docker compose ≥ $compose_minimum by hand"
    scratch=$(mktemp -d)
    mkdir -p "$scratch/lists/partial" "$scratch/archives/partial"
    chmod -R a+rX "$scratch" # apt downloads as its own user
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
        "$mirror" "$plugin_suite" >"$scratch/sources.list"
    set -- -qq -o "Dir::Etc::SourceList=$scratch/sources.list" -o Dir::Etc::SourceParts=- \
        -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache::Archives=$scratch/archives" \
        -o "Dir::Cache::pkgcache=$scratch/pkgcache.bin" -o "Dir::Cache::srcpkgcache=$scratch/srcpkgcache.bin"
    as_root apt-get "$@" update || die "cannot read $plugin_suite's package lists from $mirror"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" install -y --no-install-recommends docker-compose \
        >/dev/null || die "apt-get could not install $plugin_suite's docker-compose"
    as_root rm -rf "$scratch"
    compose_is_new_enough || die "docker compose is still older than $compose_minimum: is another plugin in ~/.docker/cli-plugins?"
}

debian_mirrors() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Identifier: Packages' 2>/dev/null |
        sed -n 's/^Debian|//p' | sort -u
}

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# An engine that answers, wherever the caller points (DOCKER_HOST, docker context); else this machine's own is started.
need_engine() {
    engine_answers && return 0
    [ -z "${DOCKER_HOST:-}" ] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST"
    need_packages dockerd=docker.io iptables=iptables
    if [ -d /run/systemd/system ]; then
        as_root systemctl start docker || die "systemctl start docker failed: see journalctl -u docker"
    elif ! pgrep -x dockerd >/dev/null; then
        say "starting the Docker engine (log: /var/log/dockerd.log) …"
        # The socket file of an engine that was killed does no harm, its pid file does.
        as_root rm -f /var/run/docker.pid
        as_root sh -c 'setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null &'
    fi
    if [ "$(id -u)" -ne 0 ] && ! id -nG | grep -qw docker; then
        [ -z "${regrouped:-}" ] || die "$(id -un) is in the group docker only after the next login: log in again, then run this again"
        say "adding $(id -un) to the group docker (its members are as powerful as root)"
        as_root usermod -aG docker "$(id -un)"
        # Again, with the new group as at the next login; sg would make it the first one, which mmdebstrap cannot map.
        export regrouped=yes
        exec sudo -E -u "$(id -un)" -- "$0"
    fi
    waited=0
    until engine_answers; do
        [ "$waited" -lt 60 ] || die "the engine does not answer after 60 s: see /var/log/dockerd.log or journalctl -u docker"
        sleep 1
        waited=$((waited + 1))
    done
}

# need_venv REQUIREMENTS: .venv with exactly the pinned packages and this checkout.
need_venv() {
    stamp=$(cat "$top/$1" "$top/pyproject.toml" | sha256sum)
    [ "$(cat "$top/.venv/stamp-$1" 2>/dev/null)" != "$stamp" ] || return 0
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "Python 3.11 or newer is needed"
    python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages no-such-command=python3-venv
    say "making the virtual environment …"
    [ -x "$top/.venv/bin/python" ] || python3 -m venv "$top/.venv"
    "$top/.venv/bin/pip" install -qq --disable-pip-version-check --require-hashes -r "$top/$1" ||
        die "pip could not install $1"
    "$top/.venv/bin/pip" install -qq --disable-pip-version-check --no-deps --no-build-isolation -e "$top" ||
        die "pip could not install the checkout"
    printf '%s\n' "$stamp" >"$top/.venv/stamp-$1"
}
