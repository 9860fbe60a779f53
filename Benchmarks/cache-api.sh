#!/bin/bash
# The Cache API over the wire: CPU of a match, a put and a deletion, hits against the proxy's in the
# same process, and a body of 512 MB: README.md beside this file says how to read it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() {
    cat <<'TEXT'
usage: cache-api.sh [--rounds N] [--seconds N] [--size SIZE]
  --rounds   rounds of each case, in turn (5)
  --seconds  load of one round (4)
  --size     the large body (512MB)
Environment: LARDER (the binary), TMPDIR (where the file is; use a real disk, 3 GB).
TEXT
}

rounds=5 seconds=4 size=512MB
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --rounds | --seconds | --size)
        [ $# -ge 2 ] || fail "$1 wants a value"
        case $1 in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --size) size=$2 ;;
        esac
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done

need gcc wrk python3 curl sqlite3
begin
start_origin
proxy_port=$(free_port)
cache_port=$(free_port)
start_larder "$proxy_port" "$work/cache.db" --threads 2 --cache-api "127.0.0.1:$cache_port"
await_port "$larder_pid" "$proxy_port"
await_port "$larder_pid" "$cache_port"
machine

rows() { sqlite3 "$work/cache.db" "SELECT count(*) FROM responses WHERE surface = 2"; }

# Prints: case, server, requests/s, CPU us per request, p50 and p99 in us.
measure() { # case, round
    local port=$cache_port before after line requests duration failures p50 p99 stored
    [ "$1" != get-hit ] || port=$proxy_port
    stored=$(rows)
    before=$(cpu_ticks "$larder_pid")
    line=$(wrk -t 2 -c 64 -d "${seconds}s" --latency -s "$here/support/cache_api.lua" \
        "http://127.0.0.1:$port" -- "$1" "$1-$2" | grep '^RESULT')
    # What is queued is part of the work.
    sleep 2.5
    after=$(cpu_ticks "$larder_pid")
    read -r _ requests duration failures p50 p99 <<<"$line"
    [ "$failures" = 0 ] || fail "$1: $failures requests failed"
    if [ "$1" = put ]; then
        stored=$(($(rows) - stored))
        # A connection's last request may be cut by the end of the load.
        [ "$stored" -ge $((requests - 64)) ] || fail "put: $stored of $requests are in the file"
    fi
    python3 - "$1" "$requests" "$duration" "$((after - before))" "$ticks" "$p50" "$p99" <<'PYTHON'
import sys

case, requests, duration, cpu, hertz, p50, p99 = sys.argv[1], *map(int, sys.argv[2:])
rate = requests / (duration / 1e6)
print(case, "larder", f"{rate:.0f}", f"{cpu / hertz * 1e6 / requests:.2f}", p50, p99)
PYTHON
}

curl -fsS -o /dev/null "http://127.0.0.1:$proxy_port/hit"
printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=3600\r\n\r\n%1024s' x |
    curl -fsS -X PUT -H 'Content-Type:' --data-binary @- "http://127.0.0.1:$cache_port/hit"
curl -fsS -D - -o /dev/null "http://127.0.0.1:$cache_port/hit" | grep -q 'CF-Cache-Status: HIT' ||
    fail "the match is no hit"

for round in $(seq "$rounds"); do
    for case in get-hit match-hit match-miss put purge; do
        measure "$case" "$round" >>"$work/rounds"
    done
done
python3 "$here/support/cache_api_table.py" "$work/rounds"
stop "$larder_pid"

# One large body in and out, beside a server with little memory.
rm -f "$work"/cache.db*
start_larder "$proxy_port" "$work/cache.db" --threads 2 --cache-api "127.0.0.1:$cache_port" \
    --memory 64MB
await_port "$larder_pid" "$cache_port"
python3 "$here/support/cache_api_large.py" "$cache_port" "$(bytes "$size")" "$larder_pid"
