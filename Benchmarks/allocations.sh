#!/bin/bash
# Allocations per hit: README.md beside this file says how they are counted.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() { echo "usage: allocations.sh [--requests N]    hits of the shorter run (5000)"; }

requests=5000
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --requests)
        [ $# -ge 2 ] || fail "$1 wants a value"
        requests=$2
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done

need gcc python3
begin
start_origin
compile malloc_count.c "$work/malloc_count.so" -shared -fPIC
port=$(free_port)
export MALLOC_COUNT_FILE=$work/counters LD_PRELOAD=$work/malloc_count.so
start_larder "$port" "$work/larder.db" --threads 2
unset MALLOC_COUNT_FILE LD_PRELOAD
await_port "$larder_pid" "$port"
for kind in get post; do
    python3 "$here/support/count_allocations.py" "$port" "$work/counters" "$kind" "$requests"
done
