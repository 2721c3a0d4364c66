# suites.sh - the suites of tests/run.sh. To be sourced, after tap.sh, with $root, $build and $logs set.
#
# suite_NAME prints one line of TAP a check. Everything is built below $build.

SUITES="layers build format lint unit asan tsan fuzz rebar xref dialyzer eunit ct ct_asan ct_tsan ecto demo e2e"

suite_layers() { sh tests/check_layers.sh; }

suite_build() {
    # All of it anew: a file that was compiled before would keep its warnings to itself.
    check "builds without a warning" make -B -C c_src -j2 STRICT=1 all lib tests
    check "the program is in priv" test -x priv/ecto_litefs_node
    check "the port driver is in priv" test -f priv/ecto_litefs_drv.so
}

suite_format() { check "clang-format" make format-check; }

suite_lint() {
    check "clang-tidy" make lint
    check "shell scripts parse" parse_scripts
}

parse_scripts() {
    for script in $(find tests e2e -name '*.sh'); do sh -n "$script" || return 1; done
    bash -n .ci/run
}

# run_unit VARIANT: every unit test program of the variant.
run_unit() {
    found=0
    for source in tests/unit/*_test.c; do
        [ -e "$source" ] || continue
        found=1
        name=$(basename "$source" .c)
        code=0
        CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 300 $run_prefix "$build/$1/tests/$name" \
            >"$logs/$1-$name" 2>&1 </dev/null || code=$?
        tap_prefix "$name" "$code" <"$logs/$1-$name"
    done
    [ "$found" -eq 1 ] || skip "unit tests" "there are none"
}

# build_variant NAME SANITIZERS: the program and the unit tests under $build/NAME.
build_variant() {
    check "builds with $2" make -C c_src -j2 STRICT=1 all tests \
        VARIANT="$1" SANITIZE="$2" OPT="-O1 -g" PRIV="$build/$1/priv"
}

suite_unit() { run_prefix= run_unit release; }

suite_asan() {
    build_variant asan address,undefined
    UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 run_prefix= run_unit asan
}

# The sanitizer's shadow memory does not fit everywhere with address space
# randomisation, so that is off; where even that does not help, say so.
suite_tsan() {
    run_prefix=
    probe=$build/tsan_probe
    echo 'int main(void) { return 0; }' >"$probe.c"
    if ! cc -fsanitize=thread -o "$probe" "$probe.c" 2>/dev/null; then
        skip "thread sanitizer" "the compiler has none"
        return
    fi
    if ! "$probe" 2>/dev/null; then
        run_prefix="setarch -R"
        if ! $run_prefix "$probe" 2>/dev/null; then
            skip "thread sanitizer" "it does not run on this kernel"
            return
        fi
    fi
    build_variant tsan thread
    run_unit tsan
}

suite_fuzz() {
    if ! grep -q '^fuzz:' c_src/Makefile; then
        skip "fuzz" "there is no fuzz driver"
        return
    fi
    check "fuzz" make -C c_src fuzz VARIANT=asan SANITIZE=address,undefined PRIV="$build/asan/priv"
}

suite_rebar() {
    check "compiles from a copy" sh tests/support/as_dependency.sh copy
    check "compiles as a dependency of a rebar3 project" sh tests/support/as_dependency.sh rebar3
    check "compiles as a dependency of a mix project" sh tests/support/as_dependency.sh mix
}

suite_xref() { check "xref" rebar3 xref; }

suite_dialyzer() { check "dialyzer" rebar3 dialyzer; }

suite_eunit() { check "eunit" rebar3 eunit --dir tests/eunit; }

suite_ct() { run_ct plain "$root/priv"; }

# What was freed is kept for a while by this sanitizer: little of it, since cases look at the memory in use. The port
# driver's own must be in a VM before it: VMs that its suite starts load it so.
suite_ct_asan() {
    export ECTO_LITEFS_DRIVER_DIR="$build/asan/priv"
    export ECTO_LITEFS_DRIVER_PRELOAD="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libubsan.so)"
    ASAN_OPTIONS=quarantine_size_mb=16 run_ct asan "$build/asan/priv"
}

suite_ct_tsan() { run_ct tsan "$build/tsan/priv"; }

# run_ct NAME FOLDER: the Common Test suites with the program in that folder, one line a case; logs and databases
# of the last run are in build/ct/NAME. A private EPMD keeps the tests' nodes away from all others here.
run_ct() {
    if [ ! -x "$2/ecto_litefs_node" ]; then
        skip "Common Test" "there is no program in $2"
        return
    fi
    code=0
    rm -rf "$build/ct/$1"
    free_port='{ok, S} = gen_tcp:listen(0, []), {ok, P} = inet:port(S), io:write(P), halt().'
    ERL_EPMD_PORT=$(erl -noshell -eval "$free_port") ECTO_LITEFS_NODE="$2/ecto_litefs_node" \
        timeout -k 10 1500 rebar3 ct --readable true --logdir "build/ct/$1" >"$logs/ct-out" 2>&1 </dev/null || code=$?
    escape=$(printf '\033')
    sed "s/$escape\[[0-9;]*m//g" "$logs/ct-out" | awk -v code="$code" '
        { sub(/^.*%%% /, "%%% ") } # another program may have begun the line
        /^%%% .*: OK/ { sub(/^%%% /, ""); sub(/: OK.*/, ""); print "ok - " $0; seen++; next }
        # No case skips itself: what is skipped could not start.
        # What a case leaves behind is looked at by its end_per_testcase, whose failure rebar3 does not count.
        /^%%% .*: (end_per_testcase )?(FAILED|SKIPPED)/ { sub(/^%%% /, ""); print "not ok - " $0; seen++; bad++; next }
        { print "    " $0 }
        END {
            if (seen == 0) print "not ok - ran no case"
            else if (code != 0 && bad == 0) print "not ok - rebar3 ct: exit code " code
        }'
}

suite_ecto() { run_ecto "$root/priv/ecto_litefs_node"; }

suite_demo() {
    if [ ! -e e2e/demo.sh ]; then
        skip "demo" "e2e/demo.sh is not there"
        return
    fi
    check "e2e/demo.sh" timeout -k 10 300 sh e2e/demo.sh
}

# On real LiteFS, as far as this machine lets it: what it cannot do is said. Consul takes too long to build here, so the
# lease server is the stand-in.
suite_e2e() {
    code=0
    if [ "$(id -u)" -eq 0 ] && [ -c /dev/fuse ]; then need_packages iproute2 fuse3 curl; fi
    rm -rf "$build/e2e"
    E2E_LEASE=stand-in E2E_LOGS="$build/e2e" timeout -k 60 900 sh e2e/run_tests.sh ci >"$logs/e2e-out" 2>&1 </dev/null || code=$?
    if [ "$code" -eq 3 ]; then
        skip "e2e on real LiteFS" "$(tail -n +2 "$logs/e2e-out" | tr -s ' \n' ' ')"
        return
    fi
    cat "$logs/e2e-out"
    if [ "$code" -ne 0 ]; then grep -rh 'fatal error' "$build/e2e" | sed 's/^/    LiteFS: /'; fi
    if [ "$code" -ne 0 ] && ! grep -q '^not ok - ' "$logs/e2e-out"; then echo "not ok - e2e/run_tests.sh: exit code $code"; fi
    skip "e2e with Consul, and the faults that take long" "run e2e/run_tests.sh"
}
