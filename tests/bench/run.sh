#!/bin/sh
# The benchmark: what a forwarded write costs, against an empty erpc:call between two BEAM nodes (the floor)
# and a C loop on SQLite alone (the limit). Takes about six minutes; tests/run.sh does not run it.
#
#   sh tests/bench/run.sh [--database DIR]
#
# --database DIR puts the databases into that folder. If it is LiteFS's mount (and this host its primary) the C node
# follows LiteFS, whose events are at BENCH_EVENT_STREAM_URL (http://localhost:20202/events); NORMAL, which is the same
# as FULL there, and real Ecto are left out.
#
# Adjust by environment: BENCH_ROUNDS (3), BENCH_MILLISECONDS a point (3000), BENCH_CALLERS ("1 64 256"),
# BENCH_KINDS (which lines, such as "floor insert loop"; all), TMPDIR (where the databases lie otherwise), BENCH_OPTIONS
# (further options of the C nodes). Needs what the build needs, and a quiet machine.
#
# With compiled Ecto packages on ERL_LIBS, Req among them, and the ebin folder of EctoLiteFS 1.0 in BENCH_ECTO_LITEFS,
# Repo.insert with real Ecto is measured too: with ours against EctoLiteFS 1.0 (ecto.sh). Else it says that this was
# left out.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$ROOT/e2e/cluster.sh"
. "$ROOT/tests/bench/ecto.sh"

folder=
if [ "${1:-}" = --database ] && [ -d "${2:-}" ]; then
    folder=$(cd "$2" && pwd) || exit 1
elif [ $# -gt 0 ]; then
    die "usage: sh tests/bench/run.sh [--database DIR], a folder that is there"
fi

make -s -C "$ROOT/c_src" all bench || die "the build failed"
cluster_start
erlc -o "$CLUSTER_DIR" "$ROOT"/tests/bench/*.erl || die "the benchmark does not compile"

export BENCH_ROUNDS="${BENCH_ROUNDS:-3}"
export BENCH_MILLISECONDS="${BENCH_MILLISECONDS:-3000}"
export BENCH_CALLERS="${BENCH_CALLERS:-1 64 256}"
export BENCH_KINDS="${BENCH_KINDS:-}"
export BENCH_WORK="$CLUSTER_DIR" BENCH_DIR="$CLUSTER_DIR/"
if [ -n "$folder" ]; then
    # Its beginning is all that tells our files from others there.
    export BENCH_DIR="$folder/bench_$$_"
    CLUSTER_FILES=$BENCH_DIR
fi
export BENCH_LITEFS=no BENCH_SYNCS="normal full"
if [ -n "$folder" ] && [ -e "$folder/.lag" ]; then
    BENCH_LITEFS=yes BENCH_SYNCS=full
    url=${BENCH_EVENT_STREAM_URL:-http://localhost:20202/events}
    BENCH_OPTIONS="${BENCH_OPTIONS:-} --primary-file $folder/.primary --event-stream-url $url"
fi
export BENCH_CLOSURE="$ROOT/tests/vectors/ectolitefs-1.0/insert.fun.etf"
export BENCH_LOOP="$ROOT/build/release/bench_loop"

cluster_beam "bench_floor_$$"
export BENCH_FLOOR="bench_floor_$$@127.0.0.1"

# cluster_node_for SYNCHRONOUS REPO...: a C node with that setting; each Repo has a file of its own.
cluster_node_for() {
    setting=$1
    shift
    for repo in "$@"; do
        shift
        set -- "$@" --repo "$repo=$BENCH_DIR${setting}_$repo.db"
    done
    # Word splitting of the options is wanted.
    # shellcheck disable=SC2086
    cluster_node "bench_${setting}_$$" "$@" --synchronous "$setting" ${BENCH_OPTIONS:-}
    log=$CLUSTER_DIR/bench_${setting}_$$.log
    if [ "$BENCH_LITEFS" = yes ]; then
        cluster_wait "$CLUSTER_PID" grep -q 'event=tracker_row_written' "$log" ||
            die "this host is not the primary of $folder: $(cat "$log")"
    fi
}

if [ "$BENCH_LITEFS" = yes ]; then
    missing="not measured on LiteFS"
else
    missing=$(bench_ecto_missing)
fi
if [ -n "$missing" ]; then
    export BENCH_LEFT_OUT="$missing"
    echo "left out: Repo.insert with real Ecto: $missing" >&2
    normal= full=
else
    bench_ecto_start
    normal=Bench.Normal full=Bench.Full
fi

# One C node for each setting, the other one idle meanwhile.
if [ "$BENCH_LITEFS" = no ]; then
    cluster_node_for normal Bench.Repo Peer.MRepo $normal
    export BENCH_NODE_normal="bench_normal_$$@127.0.0.1" BENCH_PID_normal="$CLUSTER_PID"
fi
cluster_node_for full Bench.Repo Peer.MRepo $full
export BENCH_NODE_full="bench_full_$$@127.0.0.1" BENCH_PID_full="$CLUSTER_PID"

cluster_beam "bench_app_$$" -run elfs_bench main
cluster_join "$CLUSTER_PID" || die "the benchmark failed"
