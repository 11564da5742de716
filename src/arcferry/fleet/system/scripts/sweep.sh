[ -d "$1" ] && [ ! -L "$1" ] || exit 0
exec 9>"$1/lock" || exit 73
if command -v flock >/dev/null 2>&1; then flock -n 9 || exit 0; fi
rm -f -- "$1"/connect-*.json
