#!/bin/sh
# The first process of a Windows host: gives it its own drive, name, names and certificates, and keeps Wine running.
# Everything mounted here lives in the host's own mount namespace and is gone with its last process.
#
# usage: boot.sh BASE FOLDER NAME PYTHON PROGRAM SMALL_DISK
#   BASE        the Windows that it starts from, never written to
#   FOLDER      the host's: etc/ with resolv.conf, hosts and ca.pem; Wine's prefix becomes FOLDER/prefix
#   PYTHON      sets host names that hostname(1) finds too strange
#   PROGRAM     says ready when Wine's services run, and keeps them running
#   SMALL_DISK  bytes that may be written to drive C: from now on; 0 for all that there are
set -eu
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin:/usr/lib/wine # the last as Debian keeps wineserver there
umask 022
base=$1 folder=$2 name=$3 python=$4 program=$5 small_disk=$6

mkdir -p "$folder/prefix" "$folder/upper" "$folder/work" "/tmp/.wine-$(id -u)"
upper=$folder/upper work=$folder/work
if [ "$small_disk" != 0 ]; then
    # what has been written so far, and no more than that
    kilobytes=$(du -sk --apparent-size "$upper" | cut -f1)
    mkdir -p "$folder/small"
    mount -t tmpfs -o "mode=755,size=$((kilobytes * 1024 * 11 / 10 + small_disk))" small "$folder/small"
    cp -a "$upper" "$folder/small/upper"
    mkdir "$folder/small/work"
    upper=$folder/small/upper work=$folder/small/work
fi
if [ ! -e "$folder/whole" ] && mount -t overlay -o "lowerdir=$base,upperdir=$upper,workdir=$work" \
    overlay "$folder/prefix" 2>/dev/null; then
    :
elif [ ! -e "$folder/whole" ]; then
    # this kernel, or the file system of this folder, takes no overlay
    cp -a --reflink=auto "$base/." "$folder/prefix"
    : >"$folder/whole"
fi
if [ -e "$folder/registry" ]; then
    cat "$folder/registry" >>"$folder/prefix/system.reg"
    rm "$folder/registry"
fi
# Wine's servers meet here, by the device and the number of a folder, which another host's may have too
mount -t tmpfs -o mode=700 wine "/tmp/.wine-$(id -u)"
mount -t proc proc /proc 2>/dev/null || :
for pair in resolv.conf:/etc/resolv.conf hosts:/etc/hosts ca.pem:/etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "${pair#*:}" ] || mount --bind "$folder/etc/${pair%%:*}" "${pair#*:}"
done
hostname "$name" 2>/dev/null || "$python" -Ic 'import socket, sys; socket.sethostname(sys.argv[1])' "$name"

cd "$folder/prefix/drive_c"
wine "$program" hold </dev/null &
# whatever loses its parent becomes this process's child: `wait` takes it in until the program above has ended
wait $! || :
# its registry is not all written before its server is gone
wineserver -w
