#!/bin/sh
# The main job, for real: a BEAM node forwards writes to the C node, and the sqlite3 shell reads them back.
#
#   sh e2e/demo.sh [WRITES] [CALLERS]        (5000 writes by 16 processes)
#
# Installs what is missing (apt, on Debian), builds, runs, and removes what it made. Exit status 0 when every
# acknowledged row is there and no other; 1 otherwise. Two runs at the same time do not meet.
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd) || exit 1
WRITES=${1:-5000}
CALLERS=${2:-16}
. "$ROOT/tests/support/packages.sh"
. "$ROOT/e2e/cluster.sh"

# One build at a time in this clone.
build() {
    mkdir -p "$ROOT/build"
    if command -v flock >/dev/null; then
        flock "$ROOT/build/.lock" make -s -C "$ROOT/c_src"
    else
        make -s -C "$ROOT/c_src"
    fi || die "the build failed"
}

need_packages gcc libc6-dev make erlang-base erlang-dev libsqlite3-dev libcurl4-openssl-dev libjsmn-dev sqlite3 || die "apt-get failed"
build
cluster_start
node=demo_node_$$
database=$CLUSTER_DIR/demo.db
erlc -o "$CLUSTER_DIR" "$ROOT/e2e/demo.erl" || die "demo.erl does not compile"

cluster_node "$node" --repo "Demo.Repo=$database"
node_pid=$CLUSTER_PID
cluster_beam "demo_app_$$" -run demo main "$node@127.0.0.1" "$WRITES" "$CALLERS" "$CLUSTER_DIR/acknowledged"
cluster_join "$CLUSTER_PID" || die "the BEAM node failed; the C node's log: $(cat "$CLUSTER_DIR/$node.log")"

# One "id|name" a line on both sides, by id.
sqlite3 "$database" 'SELECT id, name FROM users ORDER BY id' >"$CLUSTER_DIR/found" ||
    die "the sqlite3 shell cannot read $database"
check=$(sqlite3 "$database" 'PRAGMA integrity_check')
printf '%-22s %s\n' 'rows found' "$(wc -l <"$CLUSTER_DIR/found")" 'integrity check' "$check"

cluster_end "$node_pid" || die "the C node ended with status $?: $(cat "$CLUSTER_DIR/$node.log")"
[ "$(wc -l <"$CLUSTER_DIR/acknowledged")" -eq "$WRITES" ] || die "not every write was acknowledged"
cmp -s "$CLUSTER_DIR/acknowledged" "$CLUSTER_DIR/found" || die "the rows found are not those acknowledged"
[ "$check" = ok ] || die "the database is damaged"
echo 'Every acknowledged row is there, and no other.'
