# net.sh - the hosts' network: a namespace each, a veth link each to a bridge in the hub's namespace. To be sourced.
#
#   elfs-R-1  eth0 10.77.R.1 ──┐
#   elfs-R-2  eth0 10.77.R.2 ──┤ elfs-R-hub: br0 10.77.R.254 (lease server, control node)
#   elfs-R-3  eth0 10.77.R.3 ──┘
#
# R is the run's number ($E2E_RUN): the hub's namespace is the lock that gives it to one run alone. The machine's own
# namespace is not touched at all.

net_hub() { echo "elfs-$E2E_RUN-hub"; }
net_host() { echo "elfs-$E2E_RUN-$1"; }
net_address() { echo "10.77.$E2E_RUN.$1"; }
net_hub_address() { echo "10.77.$E2E_RUN.254"; }

# net_claim: takes the first free number, beginning where few others begin.
net_claim() {
    first=$(($$ % 250 + 1))
    tried=0
    while [ "$tried" -lt 250 ]; do
        E2E_RUN=$(((first + tried - 1) % 250 + 1))
        ip netns add "$(net_hub)" 2>/dev/null && return 0
        tried=$((tried + 1))
    done
    E2E_RUN=
    return 1
}

# net_up HOST...: the bridge and the hosts' links.
net_up() {
    hub=$(net_hub)
    ip -n "$hub" link set lo up &&
        ip -n "$hub" link add br0 type bridge &&
        ip -n "$hub" addr add "$(net_hub_address)/24" dev br0 &&
        ip -n "$hub" link set br0 up || return 1
    for host in "$@"; do net_host_up "$host" || return 1; done
}

net_host_up() {
    hub=$(net_hub)
    name=$(net_host "$1")
    ip netns add "$name" &&
        ip -n "$name" link set lo up &&
        ip -n "$hub" link add "h$1" type veth peer name eth0 netns "$name" &&
        ip -n "$hub" link set "h$1" master br0 up &&
        ip -n "$name" addr add "$(net_address "$1")/24" dev eth0 &&
        ip -n "$name" link set eth0 up
}

# net_cut HOST: the cable is pulled at the hub's end. Nobody is told: packets are lost.
net_cut() { ip -n "$(net_hub)" link set "h$1" down; }

net_heal() { ip -n "$(net_hub)" link set "h$1" up; }

# net_delay HOST MILLISECONDS: what leaves the host, and what reaches it, comes later. Its link leads to a bridge of its
# own then, and from there through link_delay to the others' bridge.
net_delay() {
    hub=$(net_hub)
    process_start "$hub" "delay$1" "$E2E_DIR/link_delay" "near$1" "far$1" "$2"
    until_true 10 ip -n "$hub" link show "far$1" &&
        ip -n "$hub" link add "slow$1" type bridge &&
        ip -n "$hub" link set "slow$1" up &&
        ip -n "$hub" link set "near$1" master "slow$1" up &&
        ip -n "$hub" link set "far$1" master br0 up &&
        ip -n "$hub" link set "h$1" master "slow$1"
}

net_undelay() {
    hub=$(net_hub)
    process_alive "delay$1" || return 1
    ip -n "$hub" link set "h$1" master br0
    process_end "delay$1" TERM
    ip -n "$hub" link del "slow$1"
}

# net_lose HOST: the host's network stack is gone, with what it had still to send, and a new one is in its place: its
# machine died and has booted again. Its processes must have been killed, behind a cut link.
net_lose() {
    ip -n "$(net_hub)" link del "h$1"
    ip netns del "$(net_host "$1")"
    net_host_up "$1"
}

# net_kill NAMESPACE: every process in it. They are this run's: nobody else knows the namespace.
net_kill() {
    left=100
    while pids=$(ip netns pids "$1" 2>/dev/null) && [ -n "$pids" ] && [ "$left" -gt 0 ]; do
        # Split into words on purpose.
        # shellcheck disable=SC2086
        kill -KILL $pids 2>/dev/null
        left=$((left - 1))
        sleep 0.05
    done
}

# net_down HOST...: kills what runs in the run's namespaces and removes them; their links go with them.
net_down() {
    [ -n "$E2E_RUN" ] || return 0
    for host in "$@"; do
        net_kill "$(net_host "$host")"
        ip netns del "$(net_host "$host")" 2>/dev/null
    done
    net_kill "$(net_hub)"
    ip netns del "$(net_hub)" 2>/dev/null
}
