#!/bin/sh
# The end-to-end suite on real LiteFS: three hosts as network namespaces, faults under load. See e2e/README.md.
#
#   sh e2e/run_tests.sh [all|ci|ID...]
#
# Needs root and /dev/fuse. The exit status is 0 when every check passed; what did not run is listed at the end.
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd) || exit 1
. "$ROOT/e2e/lib/world.sh"

die() {
    echo "run_tests.sh: $*" >&2
    exit 1
}

# The lease server: $E2E_LEASE, else Consul if it was built, else the stand-in.
choose_lease() {
    if [ -z "${E2E_LEASE:-}" ]; then
        if [ -n "$(lease_consul)" ]; then E2E_LEASE=consul; else E2E_LEASE=stand-in; fi
    fi
    case $E2E_LEASE in
    consul)
        [ -n "$(lease_consul)" ] || die "no Consul: run e2e/consul/build.sh first"
        : "${E2E_TTL:=10}"
        lease_name="Consul $(lease_consul_version)"
        ;;
    stand-in)
        : "${E2E_TTL:=3}"
        lease_name="A STAND-IN for Consul (lease_stand_in.erl)"
        ;;
    *) die "E2E_LEASE is consul or stand-in" ;;
    esac
}

# The application's Repo: $E2E_REPO.
choose_repo() {
    case $E2E_REPO in
    stand-in) repo_name="the Repo and EctoMiddleware are STAND-INS (e2e/stand_in)" ;;
    ecto)
        elixir -e 'for m <- [Ecto.Adapters.SQLite3, EctoMiddleware.Repo], do: Code.ensure_loaded!(m)' ||
            die "E2E_REPO=ecto needs Elixir, and Ecto, ecto_sqlite3 and ecto_middleware compiled on ERL_LIBS"
        [ "$E2E_WAY" = remote ] || die "with E2E_REPO=ecto the way is remote"
        E2E_ELIXIR_LIBS="$ERL_LIBS:$(elixir -e 'IO.write(Path.dirname(:code.lib_dir(:elixir)))')"
        export E2E_ELIXIR_LIBS
        repo_name="the Repo is real, with $(elixir -e '
            for a <- [:ecto, :ecto_sqlite3, :exqlite, :ecto_middleware], Application.load(a) == :ok,
                do: IO.write("#{a} #{Application.spec(a, :vsn)} ")')"
        ;;
    *) die "E2E_REPO is stand-in or ecto" ;;
    esac
}

compile() {
    cc -std=gnu11 -O2 -o "$E2E_DIR/link_delay" "$ROOT/e2e/lib/link_delay.c" &&
        erlc -Werror +debug_info -o "$E2E_DIR/lib/ecto_litefs/ebin" "$ROOT"/erl/*.erl &&
        cp "$ROOT/erl/ecto_litefs.app.src" "$E2E_DIR/lib/ecto_litefs/ebin/ecto_litefs.app" &&
        ln -s "$E2E_PRIV" "$E2E_DIR/lib/ecto_litefs/priv" &&
        erlc -Werror -o "$E2E_DIR/ebin" "$ROOT"/e2e/erl/*.erl "$ROOT/e2e/stand_in/lease_stand_in.erl" \
            "$ROOT/tests/ct/ct_wait.erl" &&
        compile_repo
}

compile_repo() {
    if [ "$E2E_REPO" = ecto ]; then
        elixirc --warnings-as-errors -pa "$E2E_DIR/lib/ecto_litefs/ebin" -pa "$E2E_DIR/ebin" -o "$E2E_DIR/ebin" \
            "$ROOT/e2e/ecto/repo.ex"
    else
        erlc -Werror -pa "$E2E_DIR/lib/ecto_litefs/ebin" -o "$E2E_DIR/ebin" "$ROOT"/e2e/stand_in/Elixir.*.erl
    fi
}

missing=$(needs_missing)
if [ -n "$missing" ]; then
    echo "The end-to-end suite cannot run here. It needs:"
    echo "$missing" | sed 's/^/    /'
    exit 3
fi
: "${E2E_PRIV:=$ROOT/priv}"
: "${E2E_ERPC_TIMEOUT:=5000}"
: "${E2E_ACK:=local}"
: "${E2E_WAY:=remote}"
: "${E2E_REPO:=stand-in}"
[ -x "$E2E_PRIV/ecto_litefs_node" ] || make -s -C "$ROOT/c_src" || die "the build failed"
[ -n "$(litefs_program)" ] || litefs_install || die "LiteFS cannot be installed"
E2E_LITEFS=$(litefs_program)
choose_lease
choose_repo
E2E_ROOT=$ROOT
export ECTO_LITEFS_CACHE E2E_LITEFS E2E_LEASE E2E_TTL E2E_PRIV E2E_ERPC_TIMEOUT E2E_ACK E2E_WAY E2E_REPO E2E_ROOT

world_open || exit 1
echo "# LiteFS: $("$E2E_LITEFS" version); lease: $lease_name, ttl ${E2E_TTL} s; network 10.77.$E2E_RUN.0/24"
echo "# $repo_name; way: $E2E_WAY; level of acknowledgement: $E2E_ACK"
compile || die "the modules do not compile"
# Split into words on purpose.
# shellcheck disable=SC2086
net_up $E2E_HOSTS || die "the network cannot be made"
lease_start || die "the lease server does not start: $(cat "$E2E_DIR/logs/lease.log")"

# In the foreground of this shell, so that a signal to it ends the run; -hidden: not one of the application's nodes.
HOME="$E2E_DIR/home" nsenter --net="/run/netns/$(net_hub)" erl -noinput -hidden -name "control@$(net_hub_address)" \
    -kernel inet_dist_use_interface "{10,77,$E2E_RUN,254}" logger_level error \
    -pa "$E2E_DIR/ebin" -run e2e_main main "$@" &
control=$!
wait "$control"
