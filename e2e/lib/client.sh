# client.sh - writers that are the C client library: loops that call ecto_litefs_call. To be sourced.
#
# Each is in its host's namespace, and goes on while its file in $E2E_DIR/clients is there.

# client_start HOST NAME JOURNAL: NAME is unique in the whole run: its rows' keys begin with it.
client_start() {
    mkdir -p "$E2E_DIR/clients" "$(dirname "$3")"
    : >"$E2E_DIR/clients/$2"
    process_start "$(net_host "$1")" "$2" sh "$ROOT/e2e/ctl.sh" client_loop "$1" "$2" "$3"
}

# client_stop: all of them; waits for the writes that are under way.
client_stop() {
    clients=
    for file in "$E2E_DIR/clients"/*; do
        [ -e "$file" ] || continue
        rm -f "$file"
        clients="$clients ${file##*/}"
    done
    for client in $clients; do until_true 60 pid_dead "$(process_id "$client")" || return 1; done
}

# client_loop HOST NAME JOURNAL: what a writer does. Its own host's node comes first.
client_loop() {
    nodes="--node litefs@$(net_address "$1")"
    for other in $E2E_HOSTS; do
        [ "$other" = "$1" ] || nodes="$nodes --node litefs@$(net_address "$other")"
    done
    HOME="$E2E_DIR/home"
    export HOME
    written=0
    while [ -e "$E2E_DIR/clients/$2" ]; do
        written=$((written + 1))
        client_write "$2-$written" "$3"
        sleep 0.01
    done
}

# client_write KEY JOURNAL: one row, and its lines in the journal, as e2e_journal.erl has them: each is one write(2).
client_write() {
    printf 'B %s %s\n' "$1" "$(date +%s%6N)" >>"$2"
    # Split into words on purpose.
    # shellcheck disable=SC2086
    said=$("$E2E_PRIV/ecto_litefs_call" $nodes --timeout "$E2E_ERPC_TIMEOUT" \
        E2e.Repo 'INSERT INTO rows (key) VALUES (?) RETURNING id' "$1" 2>&1)
    case $? in
    0) outcome=acked ;;
    3 | 4 | 5) outcome=refused ;;
    6) outcome=unknown ;;
    *) outcome=unexpected ;;
    esac
    printf 'E %s %s %s %s\n' "$1" "$(date +%s%6N)" "$outcome" "$(printf %s "$said" | tr -s '[:space:]' ' ')" >>"$2"
}
