# Functions for a small cluster of its own, sourced by demo.sh and the benchmark.
#
# Everything lives in one temporary folder (CLUSTER_DIR): the cookie, the databases, the logs. The nodes
# use an EPMD of their own on a port of their own, names that carry this shell's process id, and
# 127.0.0.1 only, so no other Erlang node on the machine is seen or touched. What was started is
# remembered by process id and stopped by process id.

CLUSTER_DIR=
CLUSTER_PIDS=
CLUSTER_FILES= # the beginning of the names of files elsewhere that are to be removed, too

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# cluster_start: makes the folder, the cookie and the EPMD, and has all of it removed when the shell exits.
cluster_start() {
    CLUSTER_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ecto_litefs.XXXXXX") || exit 1
    trap cluster_stop EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    # erl and epmd look for the cookie in HOME, and leave their files there.
    HOME=$CLUSTER_DIR
    export HOME
    (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$CLUSTER_DIR/.erlang.cookie") || exit 1
    chmod 400 "$CLUSTER_DIR/.erlang.cookie"
    cluster_epmd
}

# A port that is free now may be taken a moment later: our EPMD then exits, and we try another.
cluster_epmd() {
    ERL_EPMD_ADDRESS=127.0.0.1
    export ERL_EPMD_ADDRESS ERL_EPMD_PORT
    tries=0
    while [ "$tries" -lt 5 ]; do
        tries=$((tries + 1))
        ERL_EPMD_PORT=$(erl -noinput -boot start_clean -eval \
            '{ok, S} = gen_tcp:listen(0, []), {ok, P} = inet:port(S), io:format("~b", [P]), halt().')
        epmd -port "$ERL_EPMD_PORT" >"$CLUSTER_DIR/epmd.log" 2>&1 &
        pid=$!
        if cluster_wait "$pid" epmd -names; then
            CLUSTER_PIDS="$CLUSTER_PIDS $pid"
            return
        fi
    done
    die "EPMD does not start: $(cat "$CLUSTER_DIR/epmd.log")"
}

# cluster_wait PID COMMAND...: waits until the command succeeds, at most 10 s and while the process lives.
cluster_wait() {
    watched=$1
    shift
    left=100
    while kill -0 "$watched" 2>/dev/null; do
        "$@" >/dev/null 2>&1 && kill -0 "$watched" 2>/dev/null && return 0
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
    return 1
}

# cluster_node NAME OPTION...: starts the C node NAME@127.0.0.1 and waits until it serves. Its process id
# is then in CLUSTER_PID, its log in CLUSTER_DIR/NAME.log.
cluster_node() {
    log=$CLUSTER_DIR/$1.log
    name=$1@127.0.0.1
    shift
    "$ROOT/priv/ecto_litefs_node" --name "$name" --listen 127.0.0.1 \
        --cookie-file "$CLUSTER_DIR/.erlang.cookie" "$@" 2>"$log" &
    CLUSTER_PID=$!
    CLUSTER_PIDS="$CLUSTER_PIDS $CLUSTER_PID"
    cluster_wait "$CLUSTER_PID" grep -q 'event=ready' "$log" || {
        cat "$log" >&2
        die "the C node $name does not start"
    }
}

# cluster_beam NAME ERL-OPTION...: starts a BEAM node in the background; its process id is in CLUSTER_PID.
cluster_beam() {
    name=$1@127.0.0.1
    shift
    (cd "$CLUSTER_DIR" && exec erl -noinput -name "$name" \
        -kernel logger_level error inet_dist_use_interface '{127,0,0,1}' \
        -pa "$CLUSTER_DIR" "$@") &
    CLUSTER_PID=$!
    CLUSTER_PIDS="$CLUSTER_PIDS $CLUSTER_PID"
}

# cluster_join PID: waits until it ends by itself; returns its exit status. Its number may then be another
# process's, so it is forgotten.
cluster_join() {
    joined=0
    wait "$1" || joined=$?
    rest=
    for pid in $CLUSTER_PIDS; do [ "$pid" = "$1" ] || rest="$rest $pid"; done
    CLUSTER_PIDS=$rest
    return "$joined"
}

# cluster_end PID: SIGTERM, after 10 s SIGKILL; returns the exit status.
cluster_end() {
    kill "$1" 2>/dev/null
    left=100
    while kill -0 "$1" 2>/dev/null; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || kill -KILL "$1" 2>/dev/null
        sleep 0.1
    done
    cluster_join "$1"
}

# The last started stops first, so that EPMD outlives the nodes.
cluster_stop() {
    status=$?
    trap - EXIT HUP INT TERM
    backwards=
    for pid in $CLUSTER_PIDS; do backwards="$pid $backwards"; done
    for started in $backwards; do cluster_end "$started"; done
    [ -n "$CLUSTER_DIR" ] && rm -rf "$CLUSTER_DIR"
    # LiteFS removes what it made beside a database.
    [ -n "$CLUSTER_FILES" ] && for file in "$CLUSTER_FILES"*; do
        case $file in *-pos) ;; *) rm -f "$file" ;; esac
    done
    exit "$status"
}
