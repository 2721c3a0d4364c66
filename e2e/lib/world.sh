# world.sh - one run of the end-to-end suite: its folder, its number, and its end. To be sourced.

for part in needs process net lease host client; do . "$ROOT/e2e/lib/$part.sh"; done

E2E_DIR=
E2E_RUN=

# world_open: the folder and the network's number; from here on all of it is removed when the shell exits.
world_open() {
    trap world_close EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    E2E_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ecto_litefs_e2e.XXXXXX") || return 1
    mkdir -p "$E2E_DIR/pids" "$E2E_DIR/logs" "$E2E_DIR/home" "$E2E_DIR/ebin" "$E2E_DIR/lib/ecto_litefs/ebin"
    (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$E2E_DIR/home/.erlang.cookie") || return 1
    chmod 400 "$E2E_DIR/home/.erlang.cookie"
    net_claim || { echo "no free network number" >&2; return 1; }
    export E2E_DIR E2E_RUN
}

# world_close: whatever happened, nothing of the run is left: its processes, mounts, namespaces, its folder.
world_close() {
    status=$?
    trap - EXIT
    trap '' HUP INT TERM
    if [ -n "$E2E_DIR" ]; then
        # The namespaces before the mounts: a process that waits for a dead LiteFS goes on when its mount does.
        # Split into words on purpose.
        # shellcheck disable=SC2086
        net_down $E2E_HOSTS
        for host in $E2E_HOSTS; do host_unmount "$host"; done
        world_keep_logs
        # Never across a mount that would not go: its files are LiteFS's.
        rm -rf --one-file-system "$E2E_DIR"
    fi
    exit "$status"
}

# With E2E_LOGS=FOLDER the programs' logs and the writers' journals survive the run.
world_keep_logs() {
    [ -n "${E2E_LOGS:-}" ] || return 0
    mkdir -p "$E2E_LOGS" && cp -r "$E2E_DIR/logs" "$E2E_LOGS/" && [ ! -d "$E2E_DIR/journal" ] ||
        cp -r "$E2E_DIR/journal" "$E2E_LOGS/"
}
