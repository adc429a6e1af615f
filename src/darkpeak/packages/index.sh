#!/bin/sh
# Get the index that containers share: this text stands before that of ask.sh or changelogs.sh (see apt.py).
# The first argument is for how many minutes an index is used. Standard input is an archive: settings of apt and more.
# shellcheck disable=SC2013,SC2086 # options and architectures are words
set -eu
cd "$(mktemp -d)"
tar -xzf -
rm -rf /etc/apt
tar -xf etc.tar -C /etc
[ ! -s keyrings.tar ] || tar -xf keyrings.tar -C /usr/share
options="-o=Dir::State::lists=/index/lists -o=Dir::Cache=/index/cache -o=Dir::Cache::srcpkgcache=srcpkgcache.bin
-o=Dir::Cache::pkgcache= -o=Acquire::Languages=none -o=Acquire::GzipIndexes=false -o=Acquire::Retries=1"
# With another list of packages, apt does not know the foreign architectures.
for architecture in $(cat arch); do options="$options -o=APT::Architectures::=$architecture"; done

exec 9>/index/lock
flock 9
touch now
if [ -z "$(find /index/made -mmin "-$1" ! -newer now 2>/dev/null)" ]; then
    # Old lists go first, so that apt cannot use them if the archive has none, or lies.
    rm -rf /index/made /index/lists /index/cache
    mkdir /index/lists /index/cache
    apt-get $options -q -o=APT::Update::Error-Mode=any update >said 2>&1 || { cat said >&2; exit 11; }
    touch /index/made
fi
[ -n "$(apt-get $options indextargets --no-release-info 'Created-By: Packages')" ] || exit 12
export options
