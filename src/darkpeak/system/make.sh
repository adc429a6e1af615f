# The steps that make the base system, as functions; lines that call them are added at the end. Each step can be repeated.
# In an image (IMAGE=yes) units are only enabled, not started.
# shellcheck shell=sh
set -eu
export DEBIAN_FRONTEND=noninteractive
PATH=$PATH:/usr/sbin:/sbin
# Close the session's streams, so that the session can end while a program that was started here still runs.
exec </dev/null

install_packages() {
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# put PATH MODE TEXT: write a file in one step.
put() {
    mkdir -p "$(dirname "$1")"
    printf '%s' "$3" >"$1.darkpeak-new"
    chmod "$2" "$1.darkpeak-new"
    mv "$1.darkpeak-new" "$1"
}

# No password matches '*', so only a key can log in.
make_login() {
    getent group docker >/dev/null || groupadd --system docker
    useradd --system --no-create-home --home-dir / --shell /bin/sh --gid docker --password '*' "$1"
}

# make_swap MIB: make the swap file, and use it.
make_swap() {
    rm -f /swapfile
    fallocate -l "$1M" /swapfile || dd if=/dev/zero of=/swapfile bs=1M count="$1" status=none
    chmod 600 /swapfile
    mkswap /swapfile >/dev/null
    grep -qs '^/swapfile ' /etc/fstab || echo '/swapfile none swap sw 0 0' >>/etc/fstab
    [ -n "${IMAGE:-}" ] || swapon /swapfile
}

start() {
    if [ -n "${IMAGE:-}" ]; then
        systemctl enable --quiet "$1"
    elif [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable --quiet --now "$1"
    elif [ "$1" = darkpeak-firewall ]; then
        nft -f /etc/darkpeak/firewall.nft
    else
        start_by_hand
    fi
    [ "$1" != docker ] || [ -n "${IMAGE:-}" ] || wait_for_docker
}

# again NAME: reload its settings. The engine reloads live-restore before its restart, so that no container stops.
again() {
    if [ "$1" = darkpeak-firewall ]; then
        nft -f /etc/darkpeak/firewall.nft
    elif [ "$1" = ssh ]; then
        if [ -d /run/systemd/system ]; then systemctl reload ssh; else pkill -HUP -o -x sshd; fi
    elif [ -d /run/systemd/system ]; then
        systemctl reload docker
        systemctl restart docker
        wait_for_docker
    else
        pkill -x dockerd || :
        while pgrep -x dockerd >/dev/null; do sleep 1; done
        start_by_hand
        wait_for_docker
    fi
}

# For machines without systemd, like a container: nothing else starts the engine there.
start_by_hand() {
    rm -f /run/docker.pid
    setsid dockerd >>/var/log/dockerd.log 2>&1 &
}

wait_for_docker() {
    waited=0
    until docker version >/dev/null 2>&1; do
        [ "$waited" -lt 90 ] || { echo "the engine does not answer after 90 s" >&2; exit 1; }
        sleep 1
        waited=$((waited + 1))
    done
}
