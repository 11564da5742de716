trap '' HUP PIPE
umask 077
folder=$1
mkdir -p -- "$folder" && [ ! -L "$folder" ] && chmod 700 -- "$folder" || exit 73
exec 9>"$folder/lock" || exit 73
if command -v flock >/dev/null 2>&1; then flock -w "$2" 9 || exit 75; fi
# With the lock held, whatever token lies there before is of an attempt that was killed.
rm -f -- "$folder"/connect-*.json
secret=
[ "$3" != token ] || secret=$folder/connect-$$.json
shift 3
[ -z "$secret" ] || { head -c 65536 >"$secret" && set -- "$@" "$secret"; } || exit 73
# The lock is closed for the child, because an agent's daemon would inherit it and hold it for ever.
sh "$@" </dev/null >"$folder/answer.$$" 2>"$folder/errors.$$" 9>&-
status=$?
cat "$folder/answer.$$"
cat "$folder/errors.$$" >&2
rm -f -- "$folder/answer.$$" "$folder/errors.$$" ${secret:+"$secret"}
exit $status
