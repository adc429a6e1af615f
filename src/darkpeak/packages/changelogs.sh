#!/bin/sh
# Read the changelogs of packages of the archive. index.sh is before this (see changelogs.py).
# `find` prints the archive's descriptions of the packages in `wanted`. `read` sends an archive: for each line of
# `wanted` (NAME VERSION) the file N.text with the beginning of its changelog, or N.why.
# A package is only unpacked by dpkg-deb: nothing of it runs, and nothing of it is written except its changelog.
# shellcheck disable=SC2086,SC2154 # options are words, and index.sh sets them
options="$options -o=Dir::State::status=$PWD/none -o=APT::Sandbox::User=root"
touch none
mode=$2 LARGEST=$3 LONGEST=$4
export options LARGEST LONGEST

if [ "$mode" = find ]; then
    # For those that the archive no longer has, apt fails, and prints the others.
    tr ' ' '=' <wanted | xargs apt-cache $options show 2>said || grep -q 'No packages found\|not found\|Unable to locate' said || {
        cat said >&2
        exit 13
    }
    exit 0
fi

cat >member.sh <<'END'
# member.sh DEB PATH BYTES: print the beginning of a compressed file of a package; nothing if that is a link.
ulimit -v 1048576
dpkg-deb --fsys-tarfile "$1" | tar -xOf - --wildcards --occurrence=1 "$2" | gzip -dc | head -c "$3"
END
cat >link.sh <<'END'
# link.sh DEB NAME: print the package to whose documents those of a package lead.
ulimit -v 1048576
dpkg-deb --fsys-tarfile "$1" | tar -tvf - --wildcards "./usr/share/doc/$2" "./usr/share/doc/$2/changelog*" |
    sed -n -e 's|^l.* -> \([^ ]*\)$|\1|p' | head -n 1 | sed -e 's|/changelog[^/]*$||' -e 's|.*/||'
END
cat >one.sh <<'END'
top=$PWD number=$1
read -r name version <<LINE
$(sed -n "${number}p" wanted)
LINE
version="=$version"
why() { echo "$*" | head -c 500 >"$top/out/$number.why"; exit 0; }
[ "$(date +%s)" -lt "$END" ] || why "reading the others took too long: try again, they are kept"
mkdir "work/$number" && cd "work/$number" || exit 1
for _ in 1 2 3; do
    apt-get $options -qq --print-uris download "$name$version" >uri 2>said ||
        { [ "$version" ] && apt-get $options -qq --print-uris download "$name" >uri 2>said && version=; } ||
        why "apt cannot get $name: $(tail -n 1 said)"
    size=$(cut -d ' ' -f 3 uri)
    [ "${size:-0}" -le "$LARGEST" ] || why "$name has $size bytes, which is too much for reading a changelog"
    rm -f ./*.deb
    timeout 120 apt-get $options -qq download "$name$version" >said 2>&1 ||
        why "apt cannot get $name: $(grep '^E' said | head -n 1)"
    bare=${name%%:*}
    # A package that was only built anew has the reason in a file of its own.
    for file in "changelog.Debian.*.gz" changelog.Debian.gz; do
        timeout 60 sh "$top/member.sh" ./*.deb "./usr/share/doc/$bare/$file" "$LONGEST" >>text 2>/dev/null
    done
    # That of a package which is Debian's alone; any other's is the authors', in a form of theirs.
    [ -s text ] || timeout 60 sh "$top/member.sh" ./*.deb "./usr/share/doc/$bare/changelog.gz" "$LONGEST" >text 2>/dev/null
    if [ -s text ]; then
        head -c "$LONGEST" text >"$top/out/$number.text"
        cd "$top" && rm -r "work/$number"
        exit 0
    fi
    other=$(timeout 60 sh "$top/link.sh" ./*.deb "$bare" 2>/dev/null)
    case $other in '' | "$bare" | [!a-z0-9]* | *[!a-z0-9.+-]*) why "$name has no changelog" ;; esac
    case $name in *:*) name=$other:${name##*:} ;; *) name=$other ;; esac
done
why "$name has no changelog"
END
END=$(($(date +%s) + 600)) # meanwhile nobody else can use the index
export END
mkdir out work
wc -l <wanted | xargs seq | xargs -P 4 -n 1 sh one.sh
tar -cf - -C out .
