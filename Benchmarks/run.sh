#!/bin/bash
# CPU per request of larder against nginx with proxy_cache, in one run, round by round.
# README.md beside this file says what is measured and how to read it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() {
    cat <<'TEXT'
usage: run.sh [--rounds N] [--seconds N] [--only CASE]... [--delay MS] [--durability full|balanced]
  --rounds      rounds of each case, nginx and larder in turn (5)
  --seconds     load of one round (4)
  --only        get-hit, post-hit, get-miss or post-miss; may be given again (all)
  --delay       pause of each connection before a request of the miss cases, in ms (25)
  --durability  of larder (full)
  --nginx-cache directory that nginx's cache is made in (beside larder's file); /dev/shm costs it no
                disk at all, which is the most that can be said for it
Environment: LARDER (the binary), TMPDIR (where the files are; use a real disk).
TEXT
}

rounds=5 seconds=4 delay=25 durability=full nginx_cache= cases=()
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --rounds | --seconds | --only | --delay | --durability | --nginx-cache)
        [ $# -ge 2 ] || fail "$1 wants a value"
        case $1 in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --only) cases+=("$2") ;;
        --delay) delay=$2 ;;
        --durability) durability=$2 ;;
        --nginx-cache) nginx_cache=$2 ;;
        esac
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done
[ ${#cases[@]} -gt 0 ] || cases=(get-hit post-hit get-miss post-miss)
connections=64

need wrk nginx sqlite3 gcc python3 curl
begin
if [ -n "$nginx_cache" ]; then
    nginx_cache=$(mktemp -d "$nginx_cache/larder-bench.XXXXXX")
    scratch+=("$nginx_cache")
else
    nginx_cache=$work
fi
start_origin
larder_port=$(free_port)
nginx_port=$(free_port)
sed -e "s|@WORK@/nginx-cache|$nginx_cache/nginx-cache|g" -e "s|@WORK@|$work|g" -e "s|@PORT@|$nginx_port|g" -e "s|@ORIGIN_PORT@|$origin_port|g" \
    "$here/support/nginx.conf.in" >"$work/nginx.conf"
# Started as root, nginx would drop its workers to a user who may not write here.
[ "$(id -u)" != 0 ] || sed -i "1i user root;" "$work/nginx.conf"
nginx -c "$work/nginx.conf" -e "$work/nginx.log" &
nginx_pid=$!
pids+=("$nginx_pid")
await_port "$nginx_pid" "$nginx_port"
start_larder "$larder_port" "$work/larder.db" --threads 2 --durability "$durability"
await_port "$larder_pid" "$larder_port"

rows() { sqlite3 -readonly "$work/larder.db" 'SELECT count(*) FROM responses'; }

load() { # case, port, seconds, delay, salt
    wrk -t 2 -c "$connections" -d "${3}s" -s "$here/support/load.lua" \
        "http://127.0.0.1:$2" -- "$1" "$4" "$5" | sed -n 's/^RESULT //p'
}

# One round of one server; a line for the table: case, server, µs per request, requests per second,
# requests, rows that came (larder; 0 for nginx), p50, p99.
measure() { # case, server, round
    local case=$1 server=$2 pid port pause=0 before after settle=0.2 stored=0 result
    case $server in
    nginx) pid=$nginx_pid port=$nginx_port ;;
    larder) pid=$larder_pid port=$larder_port ;;
    esac
    case $case in *-miss) pause=$delay settle=2.5 ;; esac
    [ "$server" = nginx ] || stored=$(rows)
    before=$(cpu_ticks "$pid")
    result=$(load "$case" "$port" "$seconds" "$pause" "r$3")
    # What was deferred is part of the request's price: the writes, the checkpoint of an idle file.
    sleep "$settle"
    after=$(cpu_ticks "$pid")
    [ "$server" = nginx ] || stored=$(($(rows) - stored))
    local requests duration failures p50 p99
    read -r requests duration failures p50 p99 <<<"$result"
    [ "$failures" = 0 ] || fail "$case: $failures of $requests requests to $server failed"
    awk -v case="$case" -v server="$server" -v ticks="$((after - before))" -v hz="$ticks" \
        -v n="$requests" -v us="$duration" -v rows="$stored" -v p50="$p50" -v p99="$p99" \
        'BEGIN { printf "%s %s %.3f %.0f %d %d %d %d\n", case, server,
            ticks / hz * 1e6 / n, n / (us / 1e6), n, rows, p50, p99 }'
}

# The answer must be what the case says, or its figure means nothing.
verify() { # case
    local case=$1 port got want=HIT body
    for port in "$nginx_port" "$larder_port"; do
        case $case in
        get-hit) got=$(curl -s -o /dev/null -D - "http://127.0.0.1:$port/hit") ;;
        post-hit)
            body='{"query":"hit"'
            body=$(printf '%-63s}' "$body")
            got=$(curl -s -o /dev/null -D - -H 'Content-Type: application/json' -H 'Accept:' \
                --data-binary "$body" "http://127.0.0.1:$port/search")
            ;;
        *) return 0 ;;
        esac
        grep -qi "^x-cache: $want" <<<"$got" || fail "$case on port $port is not a $want: $got"
    done
}

echo "$(machine); $(nginx -v 2>&1 | sed 's/^nginx version: //'); $("$work/larder" version)"
echo "$connections connections, 1 KiB answers, $rounds rounds of ${seconds}s, durability=$durability"
echo "2 workers of nginx, 2 threads of larder; misses: ${delay} ms pause of each connection"
echo

# Making files must cost what it costs on a quiet disk; file_probe.py says why it may not.
file_cost() { python3 "$here/support/file_probe.py" "$nginx_cache"; }
case " ${cases[*]}" in
*-miss*)
    for _ in $(seq 40); do
        cost=$(file_cost)
        [ "$cost" -gt 60 ] || break
        echo "making a file costs $cost us here: many were deleted lately; waiting" >&2
        sleep 10
    done
    echo "making a file for nginx's cache: $cost us before the run"
    ;;
esac

for case in "${cases[@]}"; do
    # Warm up both, fill what is to be hit.
    case $case in *-miss) pause=$delay ;; *) pause=0 ;; esac
    for port in "$nginx_port" "$larder_port"; do
        load "$case" "$port" 1 "$pause" warm >/dev/null
    done
    sleep 1
    verify "$case"
    for round in $(seq "$rounds"); do
        # Who comes first changes from round to round.
        order=(nginx larder)
        [ $((round % 2)) = 1 ] || order=(larder nginx)
        for server in "${order[@]}"; do
            measure "$case" "$server" "$case-$round" | tee -a "$work/results" |
                awk '{ printf "%s %s: %.1f us, %d/s\n", $1, $2, $3, $4 }' >&2
        done
    done
done

echo "making a file for nginx's cache: $(file_cost) us after the run"
echo
python3 "$here/support/table.py" "$work/results"
shed=$(sed -n 's/.*shed[=:] *"\{0,1\}\([0-9][0-9]*\).*/\1/p' "$work/larder.log" | tail -n 1)
echo "larder's log says of shed puts: ${shed:-none}"
stop "$larder_pid"
echo "integrity_check after the run: $(sqlite3 "$work/larder.db" 'PRAGMA integrity_check')"
