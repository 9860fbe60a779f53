#!/bin/bash
# From exec to the first hit, on a file of a million entries: README.md beside this file.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() {
    cat <<'TEXT'
usage: start-time.sh [--entries N] [--runs N]
  --entries  rows of the file (1000000; about 2 GB of disk under TMPDIR)
  --runs     starts of each kind (11)
TEXT
}

entries=1000000 runs=11
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --entries | --runs)
        [ $# -ge 2 ] || fail "$1 wants a value"
        case $1 in --entries) entries=$2 ;; --runs) runs=$2 ;; esac
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done

need gcc python3 sqlite3 nginx curl
begin
start_origin
compile first_hit.c "$work/first_hit"
port=$(free_port)
file=$work/larder.db

echo "$(machine); $("$work/larder" version)"
start_larder "$port" "$file" --threads 2
await_port "$larder_pid" "$port"
curl -fsS -o /dev/null "http://127.0.0.1:$port/hit" -H 'User-Agent:' -H 'Accept:'
stop "$larder_pid"
python3 "$here/support/fill.py" "$file" "$entries"

serve=("$work/larder" serve --origin "http://127.0.0.1:$origin_port" --listen "127.0.0.1:$port"
    --db "$file" --threads 2)
term=15 kill=9

# Leaves no page of the file in the system's cache.
drop_pages() {
    sync "$file"
    python3 -c 'import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)' "$file"
}

report() { # name; times on standard input
    python3 -c 'import statistics, sys
lines = [line.split() for line in sys.stdin]
times = [float(time) for time, _ in lines]
failures = sum(int(count) for _, count in lines)
print(f"{sys.argv[1]:<34} median {statistics.median(times):7.1f} ms, max {max(times):7.1f} ms,"
      f" {len(times)} runs, {failures} connections taken and not answered")' "$1"
}

first_hit() { "$work/first_hit" "$port" "$@" 2>>"$work/larder.log"; }

# The file's last writer was the script: one start and clean stop of larder's own comes first.
first_hit "$term" 0 "${serve[@]}" >/dev/null

for _ in $(seq "$runs"); do first_hit "$term" 0 "${serve[@]}"; done | report "larder, clean stop"
for _ in $(seq "$runs"); do
    drop_pages
    first_hit "$term" 0 "${serve[@]}"
done | report "larder, clean stop, cold file"
first_hit "$kill" 200 "${serve[@]}" >/dev/null
for _ in $(seq "$runs"); do first_hit "$kill" 200 "${serve[@]}"; done | report "larder, kill -9"
first_hit "$term" 0 "${serve[@]}" >/dev/null
echo "integrity: $(sqlite3 "$file" 'PRAGMA quick_check')"

# nginx for comparison, with the one file in its cache.
sed -e "s|@WORK@|$work|g" -e "s|@PORT@|$port|g" -e "s|@ORIGIN_PORT@|$origin_port|g" \
    "$here/support/nginx.conf.in" >"$work/nginx.conf"
[ "$(id -u)" != 0 ] || sed -i "1i user root;" "$work/nginx.conf"
serve=(nginx -c "$work/nginx.conf" -e "$work/nginx.log")
"${serve[@]}" &
nginx_pid=$!
pids+=("$nginx_pid")
await_port "$nginx_pid" "$port"
curl -fsS -o /dev/null "http://127.0.0.1:$port/hit"
stop "$nginx_pid"
for _ in $(seq "$runs"); do first_hit "$term" 0 "${serve[@]}"; done | report "nginx, 1 entry"
