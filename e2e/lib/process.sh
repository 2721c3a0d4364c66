# process.sh - processes in network namespaces, known by their process ids. To be sourced, with $E2E_DIR set.
#
# Each has a name; its id is in $E2E_DIR/pids/NAME, with the time of its start: the id alone is another process's sooner
# or later. Who starts one is seldom who ends it (the control node runs a shell for each step), so nothing here waits for a
# child: a process has ended when /proc says so.

# process_start NAMESPACE NAME COMMAND...: in a session of its own, output to $E2E_DIR/logs/NAME.log. Enters the network
# namespace alone: `ip netns exec' would give it a mount namespace too, and nobody else would see what LiteFS mounts.
process_start() {
    namespace=$1
    process=$2
    shift 2
    setsid nsenter --net="/run/netns/$namespace" "$@" >>"$E2E_DIR/logs/$process.log" 2>&1 </dev/null &
    echo "$! $(pid_born $!)" >"$E2E_DIR/pids/$process"
}

# process_id NAME: prints its id, nothing if it was not started or is there no more.
process_id() {
    { read -r id born <"$E2E_DIR/pids/$1"; } 2>/dev/null || return 0
    [ -n "$born" ] && [ "$(pid_born "$id")" = "$born" ] && echo "$id"
}

# pid_born PID: when it was started, in ticks since the machine's start.
pid_born() { sed -n 's/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# A zombie whose new parent has not fetched its status yet has ended.
pid_alive() {
    [ -n "$1" ] || return 1
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
    [ -n "$state" ] && [ "$state" != Z ]
}

process_alive() { pid_alive "$(process_id "$1")"; }

# process_signal NAME SIGNAL
process_signal() {
    pid=$(process_id "$1")
    pid_alive "$pid" && kill "-$2" "$pid"
}

# process_end NAME SIGNAL: signals it and waits until it has ended; after 30 s SIGKILL.
process_end() {
    pid=$(process_id "$1")
    pid_alive "$pid" && kill "-$2" "$pid"
    until_true 30 pid_dead "$pid" || kill -KILL "$pid" 2>/dev/null
    until_true 30 pid_dead "$pid" || return 1
    rm -f "$E2E_DIR/pids/$1"
}

pid_dead() { ! pid_alive "$1"; }

# until_true SECONDS COMMAND...: tries again until it succeeds.
until_true() {
    deadline=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -le "$deadline" ] || return 1
        sleep 0.05
    done
}
