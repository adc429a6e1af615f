# Print what the machine has of the base system, as lines "=word value": look.sh PACKAGE… -- FILE…. It changes nothing.
# shellcheck shell=sh
set -eu
# shellcheck source=/dev/null
. /etc/os-release
echo "=id $ID"
echo "=suite ${VERSION_CODENAME:-}"
while [ "$1" != -- ]; do
    # shellcheck disable=SC2016 # dpkg's own variable
    case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in installed) echo "=package $1" ;; esac
    shift
done
shift
for file; do
    [ ! -f "$file" ] || echo "=file $file $(stat -c %a "$file") $(base64 -w 0 "$file")"
done
# The ports of sshd and of this connection: the firewall must leave them open.
echo "=port 22"
sshd=$(command -v sshd || echo /usr/sbin/sshd)
[ ! -x "$sshd" ] || "$sshd" -T 2>/dev/null | sed -n 's/^port /=port /p'
[ -z "${SSH_CONNECTION:-}" ] || echo "=port ${SSH_CONNECTION##* }"
echo "=swap $(awk 'NR > 1 { sum += $3 } END { print sum + 0 }' /proc/swaps)"
echo "=disk $(df -Pk / | awk 'END { print $4 }')"
! id docker >/dev/null 2>&1 || echo "=login yes"
! docker version >/dev/null 2>&1 || echo "=runs docker"
! /usr/sbin/nft list table inet darkpeak >/dev/null 2>&1 || echo "=runs darkpeak-firewall"
