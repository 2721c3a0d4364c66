# ecto.sh - the Elixir suite tests/ecto, against the real hex packages. To be sourced, after tap.sh, with $root,
# $build and $logs set.
#
# The packages are expected on ERL_LIBS, compiled, with an Elixir on PATH that they were compiled for; nothing
# here fetches or builds them.

ECTO_MODULES="Ecto.Repo Ecto.Adapters.SQL Ecto.Adapters.SQLite3 Exqlite DBConnection.ConnectionPool
    EctoMiddleware.Repo Decimal Jason"

# ecto_missing: prints what is missing for the suite, nothing if all is there.
ecto_missing() {
    if ! command -v elixir >/dev/null 2>&1; then
        echo elixir
        return
    fi
    for module in $ECTO_MODULES; do
        echo "Code.ensure_loaded?($module) || IO.puts(\"$module\")"
    done >"$build/ecto_missing.exs"
    elixir "$build/ecto_missing.exs" 2>&1 | head -n 3
}

# run_ecto PROGRAM: the suite with that C node, one line of TAP.
run_ecto() {
    if [ ! -x "$1" ]; then
        skip "tests/ecto with real Ecto" "LEFT OUT: there is no program $1"
        return
    fi
    missing=$(ecto_missing)
    if [ -n "$missing" ]; then
        skip "tests/ecto with real Ecto" "LEFT OUT: not on ERL_LIBS: $(echo $missing)"
        return
    fi
    rm -rf "$build/ecto"
    mkdir -p "$build/ecto/ebin" "$build/ecto/work"
    ebin=$build/ecto/ebin
    check "tests/ecto compiles" compile_ecto
    free_port='{ok, S} = gen_tcp:listen(0, []), {ok, P} = inet:port(S), io:write(P), halt().'
    code=0
    ERL_EPMD_PORT=$(erl -noshell -eval "$free_port") ECTO_LITEFS_NODE=$1 \
        timeout -k 10 600 elixir -pa "$ebin" tests/ecto/run.exs "$build/ecto/work" \
        >"$logs/ecto-out" 2>&1 </dev/null || code=$?
    sed 's/^/    /' "$logs/ecto-out"
    grep -m 1 '^Elixir ' "$logs/ecto-out" || true
    # A suite that ran nothing has not passed.
    counted=$(sed -n 's/^\([1-9][0-9]*\) tests, 0 failures.*/\1/p' "$logs/ecto-out")
    if [ "$code" -eq 0 ] && [ -n "$counted" ]; then
        echo "ok - tests/ecto with real Ecto: $counted tests"
    else
        echo "not ok - tests/ecto with real Ecto: exit code $code"
    fi
}

compile_ecto() {
    cp erl/ecto_litefs.app.src "$ebin/ecto_litefs.app" &&
        erlc -o "$ebin" erl/*.erl tests/ct/ct_env.erl tests/ct/ct_epmd.erl tests/ct/ct_node.erl \
            tests/ct/ct_os.erl tests/ct/ct_wait.erl tests/ct/app_port.erl &&
        elixirc --warnings-as-errors -pa "$ebin" -o "$ebin" tests/ecto/support.ex
}
