umask 077
mkdir -p -- "$1" && [ ! -L "$1" ] && chmod 700 -- "$1" || exit 73
