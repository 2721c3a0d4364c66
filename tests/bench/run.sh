#!/bin/sh
# The benchmark: what a forwarded write costs, against an empty erpc:call between two BEAM nodes (the floor)
# and a C loop on SQLite alone (the limit). Takes about six minutes; tests/run.sh does not run it.
#
#   sh tests/bench/run.sh
#
# Adjust by environment: BENCH_ROUNDS (3), BENCH_MILLISECONDS a point (3000), BENCH_CALLERS ("1 64 256"),
# TMPDIR (where the databases lie), BENCH_OPTIONS (further options of the C nodes). Needs what the build needs,
# and a quiet machine.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$ROOT/e2e/cluster.sh"

make -s -C "$ROOT/c_src" all bench || die "the build failed"
cluster_start
erlc -o "$CLUSTER_DIR" "$ROOT"/tests/bench/*.erl || die "the benchmark does not compile"

export BENCH_ROUNDS="${BENCH_ROUNDS:-3}"
export BENCH_MILLISECONDS="${BENCH_MILLISECONDS:-3000}"
export BENCH_CALLERS="${BENCH_CALLERS:-1 64 256}"
export BENCH_DIR="$CLUSTER_DIR"
export BENCH_CLOSURE="$ROOT/tests/vectors/ectolitefs-1.0/insert.fun.etf"
export BENCH_LOOP="$ROOT/build/release/bench_loop"

cluster_beam "bench_floor_$$"
export BENCH_FLOOR="bench_floor_$$@127.0.0.1"

# One C node for each setting, the other one idle meanwhile. Word splitting of the options is wanted.
cluster_node "bench_normal_$$" --repo "Bench.Repo=$CLUSTER_DIR/normal.db" --repo "Peer.MRepo=$CLUSTER_DIR/normal_closure.db" --synchronous normal ${BENCH_OPTIONS:-}
export BENCH_NODE_NORMAL="bench_normal_$$@127.0.0.1" BENCH_PID_NORMAL="$CLUSTER_PID"
cluster_node "bench_full_$$" --repo "Bench.Repo=$CLUSTER_DIR/full.db" --repo "Peer.MRepo=$CLUSTER_DIR/full_closure.db" --synchronous full ${BENCH_OPTIONS:-}
export BENCH_NODE_FULL="bench_full_$$@127.0.0.1" BENCH_PID_FULL="$CLUSTER_PID"

cluster_beam "bench_app_$$" -run elfs_bench main
cluster_join "$CLUSTER_PID" || die "the benchmark failed"
