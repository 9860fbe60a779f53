#!/bin/bash
# Many clients ask for the same new answer at once, larder against nginx with proxy_cache_lock:
# README.md beside this file says what is measured and how to read it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() {
    cat <<'TEXT'
usage: collapse.sh [--clients N] [--rounds N] [--delay MS] [--spread MS]
                   [--size SIZE]
  --clients  that ask at once (1000)
  --rounds   of GET and of POST, larder and nginx in turn (5)
  --delay    of the origin before it answers, in ms (1000)
  --spread   the delay grows from round to round, by this much in all (0)
  --size     of the answer (1KB)
Environment: LARDER (the binary), TMPDIR (where the files are; use a real disk).
TEXT
}

clients=1000 rounds=5 delay=1000 spread=0 size=1KB
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --clients | --rounds | --delay | --spread | --size)
        [ $# -ge 2 ] || fail "$1 wants a value"
        case $1 in
        --clients) clients=$2 ;;
        --rounds) rounds=$2 ;;
        --delay) delay=$2 ;;
        --spread) spread=$2 ;;
        --size) size=$2 ;;
        esac
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done
size=$(bytes "$size")

need gcc python3 curl nginx
begin
start_large_origin
larder_port=$(free_port)
nginx_port=$(free_port)
# The lock may last as long as the origin; nginx's default is 5 s. Every POST is looked up in both.
lock='proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 60s;'
start_nginx "$nginx_port" -e "s|proxy_cache bench;|& $lock|" \
    -e 's|location = /search|location /bytes/|'
start_larder "$larder_port" "$work/larder.db" --threads 2 --cache-post '/bytes/*'
await_port "$larder_pid" "$larder_port"

ask() { # port, method, salt, clients
    local posts=0
    [ "$2" = get ] || posts=100
    "$work/clients" "$1" --clients "$4" --size "$size" --posts "$posts" --salt "$3" \
        --query "delay=$wait" --check --limit 60 | tail -n 1 || true
}

# A line for the table: method, server, requests at the origin, and in ms: p50, slowest client, all
# of them from the first one's start; collapsed, failures.
measure() { # method, server, round
    local method=$1 server=$2 port line before
    case $server in
    origin) port=$origin_port ;;
    nginx) port=$nginx_port ;;
    larder) port=$larder_port ;;
    esac
    before=$(origin_requests)
    # The origin's own latency: one client, without anything between.
    if [ "$server" = origin ]; then
        line=$(ask "$port" "$method" "$method-$3-alone" 1)
    else
        line=$(ask "$port" "$method" "$method-$3" "$clients")
    fi
    echo "$method $server $(($(origin_requests) - before)) $(value p50_us "$line") $(value max_us "$line")" \
        "$(value last_us "$line") $(value collapsed "$line") $(value failures "$line")" |
        tee -a "$work/results" |
        awk '{ printf "%s %s: %d at the origin, slowest client %.0f ms, %d failures\n",
            $1, $2, $3, $5 / 1000, $8 }' >&2
}

spread_text=
[ "$spread" = 0 ] || spread_text=" and up to $spread more"
echo "$(machine); $(nginx -v 2>&1 | sed 's/^nginx version: //'); $("$work/larder" version)"
echo "$clients clients, one new answer of $size bytes, origin's delay $delay ms${spread_text}, $rounds rounds"
echo
for method in get post; do
    wait=$delay
    # Once without counting: memory, connections to the origin.
    for port in "$nginx_port" "$larder_port"; do ask "$port" "$method" warm "$clients" >/dev/null; done
    for round in $(seq "$rounds"); do
        wait=$((delay + spread * (round - 1) / rounds))
        order=(nginx larder)
        [ $((round % 2)) = 1 ] || order=(larder nginx)
        for server in origin "${order[@]}"; do measure "$method" "$server" "$round"; done
    done
done
echo
python3 "$here/support/collapse_table.py" "$work/results"
