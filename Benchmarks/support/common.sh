# What the benchmarks share: a directory of their own, processes that end with the script, CPU
# times. Sourced by bash scripts that have `set -euo pipefail`.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=$(dirname "$here")
LARDER=${LARDER:-$root/.build-release/release/larder}
ticks=$(getconf CLK_TCK)
pids=()
scratch=()

fail() {
    echo "$(basename "$0"): $1" >&2
    exit 1
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || fail "$tool is missing (Debian: apt-get install $tool)"
    done
}

# Makes $work and sees to it that nothing is left behind.
# TMPDIR chooses the file system, which should be a real disk: a put is synced to it.
begin() {
    [ -x "$LARDER" ] || fail "no release binary at $LARDER; run: make release (or set LARDER)"
    work=$(mktemp -d "${TMPDIR:-/tmp}/larder-bench.XXXXXX")
    chmod 755 "$work"
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # A copy: the build may go on beside us.
    cp "$LARDER" "$work/larder"
}

finish() {
    local status=$? pid ended
    trap - EXIT
    if [ "$status" -ne 0 ] && [ -d "$work" ]; then
        tail -n 5 "$work"/*.log >&2 2>/dev/null || true
        for pid in ${pids[@]+"${pids[@]}"}; do
            kill -0 "$pid" 2>/dev/null && continue
            wait "$pid" 2>/dev/null && ended=0 || ended=$?
            echo "process $pid of ours had ended before, with status $ended" >&2
        done
    fi
    for pid in ${pids[@]+"${pids[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work" ${scratch[@]+"${scratch[@]}"}
    exit "$status"
}

compile() { # source, output, further gcc arguments
    gcc -O2 -Wall -Wextra -Werror -o "$2" "$here/support/$1" "${@:3}"
}

# Below the ephemeral ports: who polls a closed one of those may end up connected to itself.
free_port() {
    python3 - <<'PYTHON'
import random
import socket

while True:
    with socket.socket() as candidate:
        try:
            candidate.bind(("127.0.0.1", random.randrange(20000, 32000)))
        except OSError:
            continue
        print(candidate.getsockname()[1])
        break
PYTHON
}

# Waits until PID listens on PORT.
await_port() {
    local _
    for _ in $(seq 400); do
        kill -0 "$1" 2>/dev/null || fail "a server ended while it was starting"
        (: </dev/tcp/127.0.0.1/"$2") 2>/dev/null && return
        sleep 0.05
    done
    fail "nothing listens on port $2"
}

start_origin() {
    compile origin.c "$work/origin"
    origin_port=$(free_port)
    "$work/origin" "$origin_port" &
    origin_pid=$!
    pids+=("$origin_pid")
    await_port "$origin_pid" "$origin_port"
}

# The origin with bodies of all sizes, and the clients that check them.
start_large_origin() {
    # Sockets of a thousand clients, on both sides of the server.
    ulimit -n "$(ulimit -Hn)"
    compile large_origin.c "$work/large_origin"
    compile clients.c "$work/clients" -lm
    origin_port=$(free_port)
    "$work/large_origin" "$origin_port" &
    origin_pid=$!
    pids+=("$origin_pid")
    await_port "$origin_pid" "$origin_port"
}

# How many requests for bodies have reached that origin.
origin_requests() { curl -fsS "http://127.0.0.1:$origin_port/count" | cut -d ' ' -f 1; }

# A figure of the last line that the clients printed: value NAME LINE
value() { sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<" $2"; }

# 64KB, 256MB, 1GB or plain bytes as larder reads them.
bytes() {
    case $1 in
    *KB) echo $((${1%KB} << 10)) ;;
    *MB) echo $((${1%MB} << 20)) ;;
    *GB) echo $((${1%GB} << 30)) ;;
    *) echo $(($1)) ;;
    esac
}

# Sets nginx_pid. Arguments: port, further arguments for sed over nginx.conf.in.
start_nginx() {
    sed -e "s|@WORK@|$work|g" -e "s|@PORT@|$1|g" -e "s|@ORIGIN_PORT@|$origin_port|g" "${@:2}" \
        "$here/support/nginx.conf.in" >"$work/nginx.conf"
    # Started as root, nginx would drop its workers to a user who may not write here.
    [ "$(id -u)" != 0 ] || sed -i "1i user root;" "$work/nginx.conf"
    nginx -c "$work/nginx.conf" -e "$work/nginx.log" &
    nginx_pid=$!
    pids+=("$nginx_pid")
    await_port "$nginx_pid" "$1"
}

# Sets larder_pid. Arguments: port, file, further flags.
start_larder() {
    "$work/larder" serve --origin "http://127.0.0.1:$origin_port" --listen "127.0.0.1:$1" \
        --db "$2" --cache-post /search "${@:3}" >>"$work/larder.log" 2>&1 &
    larder_pid=$!
    pids+=("$larder_pid")
}

# SIGTERM (or the signal given), then waits.
stop() {
    local pid=$1 kept=() other
    kill "-${2:-TERM}" "$pid"
    wait "$pid" 2>/dev/null || true
    for other in "${pids[@]}"; do [ "$other" = "$pid" ] || kept+=("$other"); done
    pids=(${kept[@]+"${kept[@]}"})
}

# User and system time of a process, its threads and its children that live, in clock ticks.
cpu_ticks() {
    local pid total=0 rest fields
    for pid in "$1" $(cat "/proc/$1/task/$1/children"); do
        rest=$(cat "/proc/$pid/stat")
        read -ra fields <<<"${rest##*) }"
        total=$((total + fields[11] + fields[12]))
    done
    echo "$total"
}

machine() {
    printf '%s cores, %s, %s\n' "$(nproc)" \
        "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" \
        "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
}
