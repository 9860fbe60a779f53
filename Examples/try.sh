#!/bin/bash
# Runs the examples as their users would, and says whether they do what they are for. Needs the
# binaries of `make example`; everything is on loopback and gone when this ends.
#
# usage: try.sh WORKER LARDER
set -euo pipefail
worker=$(realpath "$1")
larder=$(realpath "$2")
work=$(mktemp -d)
pids=()
finish() {
    local status=$?
    trap - EXIT
    [ "$status" = 0 ] || cat "$work"/*.log >&2
    for pid in ${pids[@]+"${pids[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
cd "$work"

fail() {
    echo "try.sh: $1" >&2
    exit 1
}

# Below those that the system gives away.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null || break
    done
    echo "$port"
}

await() { # pid, port
    for _ in $(seq 600); do
        kill -0 "$1" 2>/dev/null || fail "a server has ended"
        (: </dev/tcp/127.0.0.1/"$2") 2>/dev/null && return
        sleep 0.1
    done
    fail "nothing listens on port $2"
}

origin_port=$(free_port)
"$larder" demo-origin --listen "127.0.0.1:$origin_port" --delay 0s >origin.log 2>&1 &
pids+=($!)
await $! "$origin_port"

start_worker() {
    worker_port=$(free_port)
    ORIGIN="http://127.0.0.1:$origin_port" PORT=$worker_port "$worker" >>worker.log 2>&1 &
    worker_pid=$!
    pids+=("$worker_pid")
    await "$worker_pid" "$worker_port"
}

ask() { # body
    curl -fsS --max-time 30 -D head -H 'Content-Type: application/json' -H 'Host: app.example' \
        --data-binary "$1" "http://127.0.0.1:$worker_port/search"
}

is_hit() { grep -qi '^age:' head; }

start_worker
first=$(ask '{"query": "cats"}')
is_hit && fail "the first answer comes from the cache"
for _ in $(seq 100); do
    again=$(ask '{"query": "cats"}')
    is_hit && break
    sleep 0.1
done
is_hit || fail "the second answer does not come from the cache"
[ "$first" = "$again" ] || fail "the cached answer is another"
other=$(ask '{"query": "dogs"}')
is_hit && fail "another body has the same answer"
[ "$other" != "$first" ] || fail "another body has the same answer"

kill -TERM "$worker_pid"
wait "$worker_pid" || fail "the worker does not stop in order"
start_worker
after=$(ask '{"query": "cats"}')
is_hit || fail "the answer is gone after a restart"
[ "$first" = "$after" ] || fail "the answer is another after a restart"
# Both were put before the worker stopped: waitUntil is drained.
ask '{"query": "dogs"}' >/dev/null
is_hit || fail "what was deferred is lost by a stop"
echo "PostCachingWorker: a miss, hits, other bodies, a restart: as it should be"
