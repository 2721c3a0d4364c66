# tap.sh - checks as lines of TAP. To be sourced.
#
# A suite prints "ok - name", "not ok - name" or "ok - name # SKIP why" for each check at the start of a
# line; what commands print is indented below it, and always ended by a newline, so that it is neither taken
# for a check nor hides one.

pass() { echo "ok - $1"; }
fail() { echo "not ok - $1"; }
skip() { echo "ok - $1 # SKIP $2"; }

# check NAME COMMAND...: passes if the command does.
check() {
    check_name=$1
    shift
    check_log=$(mktemp)
    check_code=0
    "$@" >"$check_log" 2>&1 </dev/null || check_code=$?
    if [ "$check_code" -eq 0 ]; then pass "$check_name"; else fail "$check_name"; fi
    awk '{ print "    " $0 }' "$check_log"
    [ "$check_code" -eq 0 ] || echo "    exit code $check_code"
    rm -f "$check_log"
    return 0
}

# tap_prefix NAME CODE: rewrites the TAP output of a cmocka program (stdin) that ended with CODE. Tests of
# its plan that never reported, since it crashed or hung, count as failed.
tap_prefix() {
    awk -v name="$1" -v code="$2" '
        /^1\.\.[0-9]+/ { plan += substr($0, 4); next }
        /^(not )?ok [0-9]+ # SKIP/ { seen++; sub(/.*# SKIP */, ""); print "ok - " name ": " $0 " # SKIP"; next }
        /^ok [0-9]/ { seen++; sub(/^ok [0-9]+ *-? */, ""); print "ok - " name ": " $0; next }
        /^not ok [0-9]/ { seen++; bad++; sub(/^not ok [0-9]+ *-? */, ""); print "not ok - " name ": " $0; next }
        { print "    " $0 }
        END {
            for (i = seen; i < plan; i++) print "not ok - " name ": a test that did not end (exit code " code ")"
            if (plan == 0) print "not ok - " name ": ran no test"
            else if (code != 0 && bad == 0 && seen >= plan) print "not ok - " name ": exit code " code
        }'
}
