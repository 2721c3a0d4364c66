# host.sh - one host's three programs: LiteFS, the C node, the application's BEAM node. To be sourced.
#
#   $E2E_DIR/hN/mnt   LiteFS's mount, with app.db        $E2E_DIR/hN/data   LiteFS's own folder

E2E_HOSTS="1 2 3"

host_dir() { echo "$E2E_DIR/h$1"; }

host_init() {
    mkdir -p "$(host_dir "$1")/mnt" "$(host_dir "$1")/data"
    cat >"$(host_dir "$1")/litefs.yml" <<END
fuse: {dir: "$(host_dir "$1")/mnt"}
data: {dir: "$(host_dir "$1")/data"}
http: {addr: ":20202"}
lease:
  type: consul
  hostname: "$(net_address "$1")"
  advertise-url: "http://$(net_address "$1"):20202"
  candidate: true
  consul: {url: "$(lease_url)", key: litefs/e2e, ttl: "${E2E_TTL}s", lock-delay: 1s}
END
}

# host_litefs HOST: starts LiteFS and waits for the mount. A killed one leaves its mount behind, dead.
host_litefs() {
    host_unmount "$1"
    process_start "$(net_host "$1")" "litefs$1" "$E2E_LITEFS" mount -config "$(host_dir "$1")/litefs.yml"
    until_true 30 host_mounted "$1" || return 1
    if [ "$E2E_REPO" = ecto ] && process_alive "beam$1"; then
        # What its Repo has open is the dead LiteFS's: see docs/operations.md.
        process_end "beam$1" KILL
        host_beam "$1"
    fi
}

host_mounted() { timeout 5 test -e "$(host_dir "$1")/mnt/.lag"; }

host_unmount() {
    while umount -l "$(host_dir "$1")/mnt" 2>/dev/null; do :; done
}

# host_cnode HOST: starts the C node; it dials the applications of all hosts.
host_cnode() {
    connect=
    for other in $E2E_HOSTS; do connect="$connect --connect app@$(net_address "$other")"; done
    # Split into words on purpose.
    # shellcheck disable=SC2086
    process_start "$(net_host "$1")" "cnode$1" env HOME="$E2E_DIR/home" "$E2E_PRIV/ecto_litefs_node" \
        --name "litefs@$(net_address "$1")" --listen "$(net_address "$1")" \
        --repo "E2e.Repo=$(host_dir "$1")/mnt/app.db" --primary-file "$(host_dir "$1")/mnt/.primary" \
        $connect
    until_true 30 host_cnode_ready "$1"
}

# The last start's line: logs are appended to.
host_cnode_ready() {
    process_alive "cnode$1" &&
        sed -n 's/.* event=\([a-z_]*\).*/\1/p' "$E2E_DIR/logs/cnode$1.log" | grep -x -e ready -e stopped | tail -n 1 |
        grep -qx ready
}

# host_beam HOST: starts the application's node.
host_beam() {
    process_start "$(net_host "$1")" "beam$1" env HOME="$E2E_DIR/home" ERL_LIBS="$E2E_DIR/lib:${E2E_ELIXIR_LIBS:-}" erl -noinput \
        -name "app@$(net_address "$1")" -kernel inet_dist_use_interface "{10,77,$E2E_RUN,$1}" \
        -pa "$E2E_DIR/ebin" -run e2e_app main "$1" "$(host_dir "$1")" "$E2E_RUN" "$E2E_ERPC_TIMEOUT"
}

# host_kill HOST: every process of the host at once, as when the machine dies; its kernel still closes its connections.
host_kill() {
    net_kill "$(net_host "$1")"
    host_unmount "$1"
}

# host_bare HOST: without the mount's folder, as where LiteFS has never run: LiteFS makes it. (So does exqlite.)
host_bare() {
    [ "$E2E_REPO" = ecto ] || rmdir "$(host_dir "$1")/mnt"
}

# host_lose HOST: the machine dies. Nobody hears of it, and what its kernel had not sent yet is never sent.
host_lose() {
    net_cut "$1"
    host_kill "$1"
    net_lose "$1"
}

# host_ids HOST: prints its programs' process ids; one that has ended is 0.
host_ids() {
    for program in litefs cnode beam; do
        if process_alive "$program$1"; then process_id "$program$1"; else echo 0; fi
    done
}

# host_revive HOST: starts what does not run.
host_revive() {
    if ! process_alive "litefs$1" || ! host_mounted "$1"; then
        process_end "litefs$1" KILL
        host_litefs "$1" || return 1
    fi
    process_alive "cnode$1" || host_cnode "$1" || return 1
    process_alive "beam$1" || host_beam "$1"
}
