#!/bin/sh
# Send the descriptions of the Python and npm packages of this image, except those of Debian's packages, as an archive.
# No description is larger than 2 MiB, unless somebody wants to fill the memory of who reads it.
set -eu
export LC_ALL=C
cd "$(mktemp -d)"
find / -xdev \( -path /proc -o -path /sys -o -path /dev \) -prune -o -type f -size -2049k \
    \( -path '*/node_modules/*/package.json' -o -path '*.dist-info/METADATA' -o -path '*.dist-info/direct_url.json' \
    -o -path '*.egg-info/PKG-INFO' \) -print | sort >found
find /var/lib/dpkg/info -name '*.list' -exec cat {} + 2>/dev/null | sort -u >debian || :
comm -23 found debian >ours
tar -cf - --verbatim-files-from -T ours 2>/dev/null
