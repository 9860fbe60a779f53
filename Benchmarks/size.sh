#!/bin/bash
# Does the file keep its size? A run over several times the answers it may hold: README.md beside
# this file says what is measured and how to read it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() {
    cat <<'TEXT'
usage: size.sh [--minutes N] [--max-size SIZE] [--times N] [--rate N] [--memory SIZE] [--output DIRECTORY]
  --minutes   of load (20)
  --max-size  larder's flag (1GB)
  --times     all different answers together are so many times that size (3)
  --rate      requests a second (50)
  --memory    larder's flag (256MB)
  --output    where size-3x.csv and size-3x.svg are written (Benchmarks/results)
Environment: LARDER (the binary), TMPDIR (where the files are; use a real disk, --max-size and 0.5 GB).
TEXT
}

minutes=20 max_size=1GB times=3 rate=50 memory=256MB output=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --minutes | --max-size | --times | --rate | --memory | --output)
        [ $# -ge 2 ] || fail "$1 wants a value"
        case $1 in
        --minutes) minutes=$2 ;;
        --max-size) max_size=$2 ;;
        --times) times=$2 ;;
        --rate) rate=$2 ;;
        --memory) memory=$2 ;;
        --output) output=$2 ;;
        esac
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done
output=${output:-$here/results}
budget=$(bytes "$max_size")
least=1024 most=$((8 << 20))
seconds=$(awk "BEGIN { print int($minutes * 60) }")
# Sizes are spread evenly over the powers of two, so this is their mean.
keys=$(awk "BEGIN { print int($times * $budget / (($most - $least) / log($most / $least))) }")

need gcc python3 curl sqlite3
begin
mkdir -p "$output"
start_large_origin
port=$(free_port)
start_larder "$port" "$work/larder.db" --threads 2 --max-size "$max_size" --max-object "$most" \
    --memory "$memory" --cache-post '/bytes/*'
await_port "$larder_pid" "$port"

name=$output/size-${times}x
echo "$(machine); $("$work/larder" version)"
echo "--max-size $max_size --memory $memory; $keys answers of 1 KiB to 8 MiB, $rate requests/s, half POST, $seconds s"
mkfifo "$work/reports"
python3 "$here/support/size_samples.py" "$larder_pid" "$work/larder.db" "$name.csv" <"$work/reports" &
samples_pid=$!
"$work/clients" "$port" --clients 16 --size "$least-$most" --keys "$keys" --skew 2 --posts 50 --rate "$rate" \
    --seconds "$seconds" --limit $((seconds + 60)) --report 2 --check 2>"$work/clients.log" >"$work/reports" &
clients_pid=$!
pids+=("$samples_pid" "$clients_pid")
trouble=0
wait "$clients_pid" || trouble=1
wait "$samples_pid" || fail "there are no samples"
pids=("$origin_pid" "$larder_pid")

echo "$(origin_requests) requests reached the origin"
tail -n 5 "$work/clients.log"
grep -E ' (warning|error|critical) ' "$work/larder.log" | tail -n 5 || true
sleep 3
stop "$larder_pid"
python3 "$here/support/size_chart.py" "$name.csv" "$name.svg" "$budget" "$(bytes "$memory")"
echo "the file after the stop: $(stat -c %s "$work/larder.db") bytes, $(sqlite3 "$work/larder.db" \
    'SELECT count(*) || " answers of " || sum(body_size) || " bytes" FROM responses')"
check=$(sqlite3 "$work/larder.db" 'PRAGMA integrity_check' | head -n 5)
echo "integrity_check: $check"
[ "$check" = ok ] || trouble=1
exit "$trouble"
