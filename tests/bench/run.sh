#!/bin/sh
# The benchmark: what a forwarded write costs, against an empty erpc:call between two BEAM nodes (the floor)
# and a C loop on SQLite alone (the limit). Takes about six minutes; tests/run.sh does not run it.
#
#   sh tests/bench/run.sh
#
# Adjust by environment: BENCH_ROUNDS (3), BENCH_MILLISECONDS a point (3000), BENCH_CALLERS ("1 64 256"),
# BENCH_KINDS (which lines, such as "floor insert loop"; all), TMPDIR (where the databases lie), BENCH_OPTIONS (further
# options of the C nodes). Needs what the build needs, and a quiet machine.
#
# With compiled Ecto packages on ERL_LIBS, Req among them, and the ebin folder of EctoLiteFS 1.0 in BENCH_ECTO_LITEFS,
# Repo.insert with real Ecto is measured too: with ours against EctoLiteFS 1.0 (ecto.sh). Else it says that this was
# left out.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$ROOT/e2e/cluster.sh"
. "$ROOT/tests/bench/ecto.sh"

make -s -C "$ROOT/c_src" all bench || die "the build failed"
cluster_start
erlc -o "$CLUSTER_DIR" "$ROOT"/tests/bench/*.erl || die "the benchmark does not compile"

export BENCH_ROUNDS="${BENCH_ROUNDS:-3}"
export BENCH_MILLISECONDS="${BENCH_MILLISECONDS:-3000}"
export BENCH_CALLERS="${BENCH_CALLERS:-1 64 256}"
export BENCH_KINDS="${BENCH_KINDS:-}"
export BENCH_DIR="$CLUSTER_DIR"
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
        set -- "$@" --repo "$repo=$CLUSTER_DIR/${setting}_$repo.db"
    done
    # Word splitting of the options is wanted.
    # shellcheck disable=SC2086
    cluster_node "bench_${setting}_$$" "$@" --synchronous "$setting" ${BENCH_OPTIONS:-}
}

missing=$(bench_ecto_missing)
if [ -n "$missing" ]; then
    export BENCH_LEFT_OUT="$missing"
    echo "left out: Repo.insert with real Ecto: $missing" >&2
    normal= full=
else
    bench_ecto_start
    normal=Bench.Normal full=Bench.Full
fi

# One C node for each setting, the other one idle meanwhile.
cluster_node_for normal Bench.Repo Peer.MRepo $normal
export BENCH_NODE_NORMAL="bench_normal_$$@127.0.0.1" BENCH_PID_NORMAL="$CLUSTER_PID"
cluster_node_for full Bench.Repo Peer.MRepo $full
export BENCH_NODE_FULL="bench_full_$$@127.0.0.1" BENCH_PID_FULL="$CLUSTER_PID"

cluster_beam "bench_app_$$" -run elfs_bench main
cluster_join "$CLUSTER_PID" || die "the benchmark failed"
