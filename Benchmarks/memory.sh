#!/bin/bash
# The memory of larder under slow uploads, slow readers and bodies of 1 GB: README.md beside this
# file says what is measured and how to read it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/support/common.sh"

usage() {
    cat <<'TEXT'
usage: memory.sh [--only CASE]... [--seconds N] [--uploads N] [--readers N] [--large SIZE]
                 [--memory SIZE] [--empty] [--csv DIRECTORY]
  --only     uploads, hits, misses or together; may be given again (all)
  --seconds  that the uploads and the readers of a case take (30)
  --uploads  clients that each send 1 MiB, part of a key (1000)
  --readers  clients that each take the same 64 MiB (200)
  --large    the download and the two uploads that go on beside them (1GB); 0: none
  --memory   larder's flag (256MB)
  --empty    begin with nothing stored, not with all memory in use for small answers
  --csv      keep the samples there
Environment: LARDER (the binary), TMPDIR (where the files are; use a real disk, 2 GB).
TEXT
}

seconds=30 uploads=1000 readers=200 large=1GB memory=256MB empty= csv= cases=()
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --empty) empty=1 && shift ;;
    --only | --seconds | --uploads | --readers | --large | --memory | --csv)
        [ $# -ge 2 ] || fail "$1 wants a value"
        case $1 in
        --only) cases+=("$2") ;;
        --seconds) seconds=$2 ;;
        --uploads) uploads=$2 ;;
        --readers) readers=$2 ;;
        --large) large=$2 ;;
        --memory) memory=$2 ;;
        --csv) csv=$2 ;;
        esac
        shift 2
        ;;
    *) usage >&2 && exit 2 ;;
    esac
done
[ ${#cases[@]} -gt 0 ] || cases=(uploads hits misses together)
large=$(bytes "$large")
small=$((64 << 10))
allowed=$((($(bytes "$memory") >> 10) + 100 * 1024)) # KiB
whole=$((64 << 20))
limit=$((seconds * 3 + 60))

need gcc python3 curl sqlite3
begin
start_large_origin
port=$(free_port)
trouble=0

# Clients in the background; their figures go to NAME.out. Arguments: name, clients' arguments.
jobs=()
launch() {
    "$work/clients" "$port" --limit "$limit" --check "${@:2}" >"$work/$1.out" 2>>"$work/clients.log" &
    jobs+=("$1:$!")
    pids+=("$!")
}

uploads() { # salt
    launch uploads --clients "$uploads" --each --posts 100 --content $((1 << 20)) \
        --drip "$seconds" --salt "$1"
}

readers() { # name, how many, salt
    launch "$1" --clients "$2" --size "$whole" --read-rate $((whole / seconds)) --salt "$3"
}

# Larger than what is stored, and than what can be part of a key.
beside() {
    [ "$large" -gt 0 ] || return 0
    launch download --size "$large" --salt "$1-large"
    launch upload --posts 100 --content "$large" --salt "$1-large"
    launch upload-chunked --posts 100 --content "$large" --chunked --salt "$1-large-chunked"
}

# Waits for what was launched and prints its figures.
gather() {
    local job name line right kept=()
    for job in "${jobs[@]}"; do
        name=${job%%:*}
        wait "${job##*:}" || trouble=1
        line=$(tail -n 1 "$work/$name.out")
        right=$(($(value requests "$line") - $(value failures "$line")))
        printf '  %-15s %s of %s answers whole and right, %s hits, %s collapsed, ' "$name" "$right" \
            "$(value requests "$line")" "$(value hits "$line")" "$(value collapsed "$line")"
        awk -v p50="$(value p50_us "$line")" -v max="$(value max_us "$line")" \
            'BEGIN { printf "p50 %.1f s, slowest %.1f s\n", p50 / 1e6, max / 1e6 }'
    done
    for job in "${pids[@]}"; do
        case " ${jobs[*]} " in *":$job "*) ;; *) kept+=("$job") ;; esac
    done
    pids=("${kept[@]}")
    jobs=()
}

# KiB, of larder's process.
status() { sed -n "s/^$1:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$larder_pid/status"; }

peak() { # column
    awk -F , -v column="$1" 'NR > 1 && $column > most { most = $column } END { print most + 0 }' \
        "$work/samples"
}

echo "$(machine); $("$work/larder" version)"
echo "--memory $memory --max-key-body 64MB --cache-post '/**'; RSS may be $((allowed >> 10)) MiB"
echo

for case in "${cases[@]}"; do
    # A process and a file of its own for each case: the high-water mark begins anew.
    start_larder "$port" "$work/$case.db" --threads 2 --memory "$memory" --max-key-body 64MB \
        --cache-post '/**'
    await_port "$larder_pid" "$port"
    python3 "$here/support/sample_memory.py" "$larder_pid" "$work/samples" &
    sampler_pid=$!
    pids+=("$sampler_pid")
    echo "$case"
    case $case in
    hits | together)
        # Stored first.
        launch filling --size "$whole" --salt "$case"
        gather
        sleep 2
        ;;
    esac
    if [ -z "$empty" ]; then
        # As much as --memory, so that what is kept of it fills its place.
        launch small --clients 2 --each --seconds "$limit" --rate 1500 --size "$small" \
            --keys $(($(bytes "$memory") / small)) --salt small
        gather
        sleep 2
        echo "  RSS before: $(($(status VmRSS) >> 10)) MiB"
    fi
    before=$(origin_requests)
    start=$SECONDS
    case $case in
    uploads) uploads "$case" ;;
    hits | misses) readers readers "$readers" "$case" ;;
    together)
        uploads "$case"
        readers readers-hits $((readers / 2)) "$case"
        readers readers-misses $((readers - readers / 2)) "$case-new"
        ;;
    *) fail "there is no case $case" ;;
    esac
    beside "$case"
    gather
    mark=$(status VmHWM)
    echo "  $((SECONDS - start)) s, $(($(origin_requests) - before)) requests reached the origin"
    # What is left when all is quiet again.
    sleep 3
    rest=$(status VmRSS)
    stop "$sampler_pid"
    verdict=pass
    [ "$mark" -le "$allowed" ] || verdict=OVER trouble=1
    echo "$case $mark $(peak 2) $(peak 3) $(peak 4) $rest $verdict" >>"$work/results"
    [ -z "$csv" ] || cp "$work/samples" "$csv/memory-$case.csv"
    stop "$larder_pid"
    echo "  integrity_check: $(sqlite3 "$work/$case.db" 'PRAGMA integrity_check' | head -n 3)"
    rm -f "$work/$case".db*
done

echo
{
    echo "MiB VmHWM VmRSS RssAnon RssFile after_3_s allowed_$((allowed >> 10))"
    awk '{ for (i = 2; i <= 6; i++) $i = int($i / 1024 + 0.5); print }' "$work/results"
} | awk '{ printf "%-10s %9s %9s %9s %9s %9s  %s\n", $1, $2, $3, $4, $5, $6, $7 }'
exit "$trouble"
