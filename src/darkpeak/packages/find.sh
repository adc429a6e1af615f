#!/bin/sh
# Send the descriptions of the Python and npm packages of this image, except those of Debian's packages, as an archive.
set -eu
export LC_ALL=C
cd "$(mktemp -d)"
find / -xdev \( -path /proc -o -path /sys -o -path /dev \) -prune -o -type f \( -path '*/node_modules/*/package.json' \
    -o -path '*.dist-info/METADATA' -o -path '*.dist-info/direct_url.json' -o -path '*.egg-info/PKG-INFO' \) \
    -print | sort >found
find /var/lib/dpkg/info -name '*.list' -exec cat {} + 2>/dev/null | sort -u >debian || :
comm -23 found debian >ours
tar -cf - -T ours 2>/dev/null
