sha256sum -- "$@" 2>/dev/null
[ $? -ne 127 ] || exit 127
for path; do
	[ ! -f "$path.part" ] || printf '%s  %s\n' "$(stat -c %s -- "$path.part")" "$path.part"
done
exit 0
