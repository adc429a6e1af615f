#!/bin/sh
# Process 1 of a test host; hosts.py starts it in new mount, process, network and host name namespaces.
#   boot.sh NAME ROOT RESOLVER DATA SSH: ROOT is / (the machine's files, except for an own /run, DATA as the engine's
#   data, and SSH as root's ~/.ssh) or a folder with another system. RESOLVER becomes /etc/resolv.conf.
set -eu
name=$1 root=${2%/} resolver=$3 data=$4 ssh=$5

if [ -n "$root" ]; then
    mount --bind "$root" "$root"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    mount -t proc proc "$root/proc"
    cp --remove-destination "$resolver" "$root/etc/resolv.conf" # it may be a link to a resolver's file that does not exist here
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >"$root/etc/hosts"
    mkdir -p "$root/.machine"
    cd "$root"
    pivot_root . .machine
    cd /
    umount -l /.machine
    rmdir /.machine
    mount -t tmpfs -o mode=755 tmpfs /run
else
    place=$(realpath /etc/resolv.conf)
    mkdir -p /root/.ssh /var/lib/docker /var/lib/containerd
    mount --bind "$ssh" /root/.ssh
    mount --bind "$data/docker" /var/lib/docker
    mount --bind "$data/containerd" /var/lib/containerd
    mount -t tmpfs -o mode=755 tmpfs /run
    # If the machine's own file is below /run, it is hidden now.
    mkdir -p "$(dirname "$place")"
    [ -e "$place" ] || : >"$place"
    mount --bind "$resolver" "$place"
fi
mkdir -p /run/lock /run/sshd
hostname "$name" 2>/dev/null || printf '%s\n' "$name" >/proc/sys/kernel/hostname
: >/run/booted
# The shell waits for the sleep; as process 1 it also reaps orphaned processes.
exec sh -c 'sleep infinity & wait' "$name"
