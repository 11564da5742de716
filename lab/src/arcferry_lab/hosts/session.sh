#!/bin/sh
# Every log-in's command comes through here: it is journalled, then run as root of this host.
# The journal's records end in NUL, since a command may have line feeds.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root USER=root LOGNAME=root
export PATH HOME USER LOGNAME
umask 022
if [ "$(id -u)" -ne 0 ]; then
    # an ordinary user's host: its SSH server serves somebody else than root
    exec unshare --user --map-root-user "$0"
fi
command=${SSH_ORIGINAL_COMMAND-}
unset SSH_ORIGINAL_COMMAND
printf '%s\0' "${command:-login shell}" >>/var/log/commands.log
cd "$HOME" || exit 1
if [ "$command" = "@SFTP_SERVER@" ]; then
    exec env LD_LIBRARY_PATH="@LIBRARIES@" "@SFTP_SERVER@"
fi
if [ -e /etc/arcferry/chatty ]; then
    yes 'The quick brown fox jumps over the lazy dog, and says so again and again.' |
        head -c "$(cat /etc/arcferry/chatty)"
fi
if [ -z "$command" ]; then
    exec /bin/sh -l
fi
exec /bin/sh -c "$command"
