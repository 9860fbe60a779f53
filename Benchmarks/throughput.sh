#!/bin/bash
# Hits of four sizes, larder from memory and from its file against nginx, in turn: README.md beside
# this file says what is measured and how to read it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() {
    cat <<'TEXT'
usage: throughput.sh [--rounds N] [--seconds N] [--only SIZE]...
  --rounds   rounds of each size, the servers in turn (5)
  --seconds  load of one round (4)
  --only     1KB, 64KB, 1MB or 100MB; may be given again (all)
Environment: LARDER (the binary), TMPDIR (where the files are; use a real disk, 3 GB).
TEXT
}

rounds=5 seconds=4 sizes=()
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --rounds | --seconds | --only)
        [ $# -ge 2 ] || fail "$1 wants a value"
        case $1 in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --only) sizes+=("$2") ;;
        esac
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done
[ ${#sizes[@]} -gt 0 ] || sizes=(1KB 64KB 1MB 100MB)

need gcc python3 curl nginx sqlite3
begin
start_large_origin
nginx_port=$(free_port)
memory_port=$(free_port)
file_port=$(free_port)

# Sets what a size is measured with: different answers, connections, and the --memory in which next
# to none of them have room. Memory keeps three quarters of that, in shards of 16 MiB and more, each
# taking bodies up to a quarter of it; another quarter is for what is in flight, 384 KiB for each
# body that is read in chunks.
shape() {
    case $1 in
    1KB) keys=8000 connections=64 little=1MB ;;
    64KB) keys=500 connections=64 little=1MB ;;
    1MB) keys=300 connections=16 little=32MB ;;
    100MB) keys=3 connections=4 little=32MB ;;
    *) fail "there is no size $1" ;;
    esac
    size=$(bytes "$1")
}

# Asks for every answer once, checks its bytes; prints how many were not hits.
sweep() { # port
    local line
    line=$("$work/clients" "$1" --clients 4 --each --keys "$keys" --seconds 600 --limit 600 --size "$size" \
        --check | tail -n 1) || fail "an answer was wrong"
    echo $(($(value requests "$line") - $(value hits "$line")))
}

# Until all of them are hits.
fill() { # port
    local _ missing
    for _ in 1 2 3 4; do
        missing=$(sweep "$1") || exit 1
        [ "$missing" != 0 ] || return 0
        sleep 1
    done
    fail "not all answers of $size bytes are stored"
}

# The same, started anew each time with the memory that larder comes with: what its queue had no room
# for is a hit until then.
fill_file() {
    local _ missing
    for _ in 1 2 3 4; do
        start_larder "$file_port" "$work/file.db" --threads 2
        await_port "$larder_pid" "$file_port"
        missing=$(sweep "$file_port") || exit 1
        stop "$larder_pid"
        [ "$missing" != 0 ] || return 0
    done
    fail "not all answers of $size bytes are in the file"
}

read_bytes() { sed -n 's/^rchar: //p' "/proc/$1/io"; }

# A line for the table: size, server, requests/s, MiB/s, CPU us per request and per MiB, bytes read
# from the file for each byte of an answer, p50 and p99 in us.
measure() { # size's name, server
    local server=$2 pid port line ticks_before ticks_after read_before read_after
    case $server in
    nginx) pid=$nginx_pid port=$nginx_port ;;
    memory) pid=$memory_pid port=$memory_port ;;
    file) pid=$file_pid port=$file_port ;;
    esac
    ticks_before=$(cpu_ticks "$pid") read_before=$(read_bytes "$pid")
    line=$("$work/clients" "$port" --clients "$connections" --keys "$keys" --size "$size" \
        --seconds "$seconds" --limit $((seconds + 30)) | tail -n 1) || fail "requests to $server failed"
    ticks_after=$(cpu_ticks "$pid") read_after=$(read_bytes "$pid")
    [ "$(value hits "$line")" = "$(value requests "$line")" ] || fail "not all were hits of $server: $line"
    awk -v name="$1 $server" -v cpu=$(((ticks_after - ticks_before) * 1000000 / ticks)) \
        -v n="$(value requests "$line")" -v bytes="$(value bytes "$line")" \
        -v s="$(value seconds "$line")" -v read=$((read_after - read_before)) \
        -v p50="$(value p50_us "$line")" -v p99="$(value p99_us "$line")" \
        'BEGIN { mib = bytes / 1048576; printf "%s %.1f %.1f %.2f %.2f %.3f %d %d\n",
            name, n / s, mib / s, cpu / n, cpu / mib, read / bytes, p50, p99 }'
}

echo "$(machine); $(nginx -v 2>&1 | sed 's/^nginx version: //'); $("$work/larder" version)"
echo "$rounds rounds of ${seconds}s; 2 workers of nginx, 2 threads of larder; all answers are hits"
echo

# With tcp_nopush nginx waits 40 ms for a late acknowledgement where an answer is a little longer than
# a segment, which 64 KiB are on loopback.
start_nginx "$nginx_port" -e 's|tcp_nopush on|tcp_nopush off|'
# So much that a shard takes 100 MiB, for which a buffer of 128 MiB is allocated.
start_larder "$memory_port" "$work/memory.db" --threads 2 --memory 16GB
memory_pid=$larder_pid
await_port "$memory_pid" "$memory_port"
for name in "${sizes[@]}"; do
    shape "$name"
    for port in "$nginx_port" "$memory_port"; do fill "$port"; done
    fill_file
    start_larder "$file_port" "$work/file.db" --threads 2 --memory "$little"
    file_pid=$larder_pid
    await_port "$file_pid" "$file_port"
    # Into the system's cache, all of it.
    missing=$(sweep "$file_port") || exit 1
    [ "$missing" = 0 ] || fail "$missing answers are not in the file"
    servers=(nginx memory file)
    for round in $(seq "$rounds"); do
        for server in "${servers[@]}"; do
            measure "$name" "$server" | tee -a "$work/results" |
                awk '{ printf "%s %s: %.0f/s, %.0f MiB/s, CPU %.1f us a request, %.0f us a MiB\n",
                    $1, $2, $3, $4, $5, $6 }' >&2
        done
        # Who begins changes from round to round.
        servers=("${servers[@]:1}" "${servers[0]}")
    done
    stop "$file_pid"
    rm -f "$work"/file.db*
done
echo
python3 "$here/support/throughput_table.py" "$work/results"
stop "$memory_pid"
echo "integrity_check after the run: $(sqlite3 "$work/memory.db" 'PRAGMA integrity_check')"
