# lease.sh - the lease server, in the hub's namespace: Consul, or a stand-in for it. To be sourced.

lease_url() { echo "http://$(net_hub_address):8500"; }

# lease_consul: prints the path of Consul if it was built: $E2E_CONSUL, or in the cache (consul/build.sh puts it there).
lease_consul() {
    for candidate in "${E2E_CONSUL:-}" "$ECTO_LITEFS_CACHE/consul-$(lease_consul_version)/consul"; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            echo "$candidate"
            return 0
        fi
    done
}

lease_consul_version() { sed -n 's|.*github.com/hashicorp/consul v\([0-9.]*\).*|\1|p' "$ROOT/e2e/consul/go.mod" | head -n 1; }

# lease_start: $E2E_LEASE is consul or stand-in.
lease_start() {
    case $E2E_LEASE in
    consul)
        mkdir -p "$E2E_DIR/consul"
        process_start "$(net_hub)" lease "$(lease_consul)" agent -server -bootstrap-expect=1 -node=lease \
            -data-dir="$E2E_DIR/consul" -bind="$(net_hub_address)" -client="$(net_hub_address)" \
            -disable-host-node-id -log-level=warn
        ;;
    stand-in)
        process_start "$(net_hub)" lease env HOME="$E2E_DIR/home" erl -noinput -pa "$E2E_DIR/ebin" \
            -run lease_stand_in main "$(net_hub_address)" 8500
        ;;
    esac
    until_true 60 lease_leads
}

# A key that is not there is an answer; a server without a leader has none.
lease_leads() {
    process_alive lease || return 1
    status=$(nsenter --net="/run/netns/$(net_hub)" curl -s -m 2 -o /dev/null -w '%{http_code}' "$(lease_url)/v1/kv/none")
    [ "$status" = 404 ]
}

# lease_is_free: nobody holds the key of LiteFS's lease.
lease_is_free() {
    ! nsenter --net="/run/netns/$(net_hub)" curl -s -m 2 "$(lease_url)/v1/kv/litefs/e2e" | grep -q '"Session"'
}
