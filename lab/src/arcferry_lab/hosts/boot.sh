#!/bin/sh
# The first process of a host: makes the host's view of the file system and becomes the given command.
# Everything mounted here lives in the host's own mount namespace and is gone with its last process.
#
# usage: boot.sh ROOT PYTHON SMALL_DISK [FOLDER...] -- [HIDDEN...] -- COMMAND...
#   PYTHON      sets host names that hostname(1) finds too strange
#   SMALL_DISK  bytes of the disks at /opt and /var/lib/arcferry; 0 for none of their own
#   FOLDER      of this computer, seen at the same path and read-only
#   HIDDEN      a program of this computer that the host does not have
set -eu
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export PATH
umask 022
root=$1
python=$2
small_disk=$3
shift 3

mount --rbind "$root" "$root"
while [ "$1" != -- ]; do
    mount --rbind "$1" "$root$1"
    # a user namespace may not drop flags that the folder was mounted with
    mount -o remount,bind,ro "$root$1" 2>/dev/null ||
        mount -o remount,bind,ro,nosuid,nodev "$root$1"
    shift
done
shift
while [ "$1" != -- ]; do
    mount --bind /dev/null "$root$1"
    shift
done
shift

# inside some containers /proc is partly covered, and a fresh one is refused
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
chmod 1777 "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

mount -t tmpfs -o mode=755 run "$root/run"
mkdir "$root/run/sshd"

if [ "$small_disk" != 0 ]; then
    for folder in opt var/lib/arcferry; do
        mkdir -p "$root/$folder"
        mount -t tmpfs -o "mode=755,size=$small_disk" small "$root/$folder"
    done
fi

name=$(cat "$root/etc/hostname")
hostname "$name" 2>/dev/null ||
    "$python" -Ic 'import socket, sys; socket.sethostname(sys.argv[1])' "$name"
cd "$root"
pivot_root . .
umount -l .
cd /

# there is no service manager: a connected agent's service starts here
if [ -e /var/opt/azcmagent/agentconfig.json ] && [ -x /opt/azcmagent/bin/azcmagent ]; then
    setsid /opt/azcmagent/bin/azcmagent himdsd </dev/null >/dev/null 2>&1 &
fi
exec "$@"
