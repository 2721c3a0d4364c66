# The lines of the benchmark with real Ecto, to be sourced by run.sh: the same Repo.insert on a replica with this
# project's application and a C node as primary, and with EctoLiteFS 1.0 and a BEAM node as primary.
#
# The packages must be on ERL_LIBS, compiled, with an `elixir` on PATH that they were compiled for, and
# BENCH_ECTO_LITEFS must be the ebin folder of EctoLiteFS 1.0; nothing here fetches or builds them. EctoLiteFS has the
# names of our modules, so that its folder must not be on ERL_LIBS itself.

BENCH_ECTO_MODULES="Ecto.Repo Ecto.Adapters.SQL Ecto.Adapters.SQLite3 Exqlite DBConnection.ConnectionPool
    EctoMiddleware.Repo Req"

# bench_ecto_missing: prints what is missing, nothing if all is there.
bench_ecto_missing() {
    if [ -z "${BENCH_ECTO_LITEFS:-}" ]; then
        echo "BENCH_ECTO_LITEFS is not set"
    elif [ ! -f "$BENCH_ECTO_LITEFS/Elixir.EctoLiteFS.Middleware.beam" ]; then
        echo "BENCH_ECTO_LITEFS has no compiled EctoLiteFS"
    elif ! command -v elixir >/dev/null 2>&1; then
        echo "no elixir on PATH"
    else
        for module in $BENCH_ECTO_MODULES; do
            echo "Code.ensure_loaded?($module) || IO.puts(\"not on ERL_LIBS: $module\")"
        done >"$CLUSTER_DIR/missing.exs"
        elixir "$CLUSTER_DIR/missing.exs" 2>&1 | head -n 1
    fi
}

# bench_ecto_compile: our application as a dependency of another (a folder with ebin and priv), and what the nodes with
# Ecto run.
bench_ecto_compile() {
    BENCH_OURS=$CLUSTER_DIR/lib/ecto_litefs
    BENCH_ELIXIR=$CLUSTER_DIR/elixir
    mkdir -p "$BENCH_OURS/ebin" "$BENCH_ELIXIR" &&
        ln -s "$ROOT/priv" "$BENCH_OURS/priv" &&
        cp "$ROOT/erl/ecto_litefs.app.src" "$BENCH_OURS/ebin/ecto_litefs.app" &&
        erlc -o "$BENCH_OURS/ebin" "$ROOT"/erl/*.erl &&
        erlc -o "$CLUSTER_DIR" "$ROOT/tests/ct/ct_env.erl" "$ROOT/tests/ct/ct_litefs.erl" "$ROOT/tests/ct/ct_wait.erl" &&
        elixirc --warnings-as-errors -pa "$BENCH_OURS/ebin" -pa "$CLUSTER_DIR" -o "$BENCH_ELIXIR" \
            "$ROOT/tests/bench/ecto_app.ex" &&
        elixir -pa "$BENCH_ELIXIR" "$ROOT/tests/bench/ecto_consolidate.exs" "$BENCH_ELIXIR"
}

# bench_ecto_beam NAME EBIN: a BEAM node with Elixir, Ecto and the EctoLiteFS of that folder.
# Nothing is logged, as in production: Ecto would write a line a query.
bench_ecto_beam() {
    mkdir -p "$CLUSTER_DIR/$1"
    ERL_LIBS="$ERL_LIBS:$BENCH_ELIXIR_LIBS" cluster_beam "$1" -logger level error -pa "$BENCH_ELIXIR" "$2"
}

# bench_ecto_start: the nodes; elfs_bench_ecto starts the rest on them.
bench_ecto_start() {
    bench_ecto_compile || die "the benchmark's Ecto part does not compile"
    BENCH_ELIXIR_LIBS=$(elixir -e 'IO.write(Path.dirname(:code.lib_dir(:elixir)))')
    bench_ecto_beam "bench_ours_$$" "$BENCH_OURS/ebin"
    bench_ecto_beam "bench_replica_$$" "$BENCH_ECTO_LITEFS"
    bench_ecto_beam "bench_primary_$$" "$BENCH_ECTO_LITEFS"
    export BENCH_ECTO_PRIMARY_PID="$CLUSTER_PID"
    export BENCH_ECTO_OURS="bench_ours_$$@127.0.0.1"
    export BENCH_ECTO_REPLICA="bench_replica_$$@127.0.0.1"
    export BENCH_ECTO_PRIMARY="bench_primary_$$@127.0.0.1"
}
