# leave look|remove FOLDER...: names those of arcferry's folders that are there, once they were removed for `remove`.
mode=$1
shift
for folder in "$@"; do
[ -e "$folder" ] || [ -L "$folder" ] || continue
if [ "$mode" = remove ] && [ ! -L "$folder" ]; then
if [ -f "$folder/lock" ] && command -v flock >/dev/null 2>&1; then
exec 9>"$folder/lock" || exit 73
flock -n 9 || exit 75
fi
rm -rf -- "$folder" || exit 73
fi
[ -e "$folder" ] || [ -L "$folder" ] || continue
printf '%s\n' "$folder"
done
exit 0
