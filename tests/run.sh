#!/bin/sh
# Runs every test: installs what is missing (Debian), builds, runs the suites, prints a table.
#
#   sh tests/run.sh              everything
#   sh tests/run.sh SUITE...     some suites: see tests/support/suites.sh
#
# The last line is "N passed, N failed" over all checks; the exit code is 0 if none failed. Long output is
# in build/logs/SUITE.log and shown only where something failed.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
build=$root/build
logs=$build/logs
mkdir -p "$logs"
: "${HOME:=$build/home}"
REBAR_COLOR=none
export HOME REBAR_COLOR
mkdir -p "$HOME"

. tests/support/packages.sh
. tests/support/tap.sh
. tests/support/ecto.sh
. tests/support/suites.sh

need_packages gcc make libc6-dev erlang-base erlang-dev erlang-tools erlang-common-test erlang-eunit \
    erlang-dialyzer rebar3 elixir libsqlite3-dev libcurl4-openssl-dev libjsmn-dev sqlite3 libcmocka-dev clang-format clang-tidy git

passed=0
failed=0
skipped=0
table=

# run_suite NAME: runs it, shows what failed or was skipped, adds a line to the table.
run_suite() {
    echo "== $1"
    log=$logs/$1.log
    started=$(date +%s)
    code=0
    (set +e; "suite_$1") >"$log" 2>&1 || code=$?
    p=$(grep -c '^ok - ' "$log") || true
    s=$(grep -c '^ok - .* # SKIP' "$log") || true
    f=$(grep -c '^not ok - ' "$log") || true
    p=$((p - s))
    if [ $((p + f + s)) -eq 0 ] || { [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; }; then
        f=$((f + 1))
        echo "   the suite itself ended with exit code $code"
    fi
    sed -n 's/^ok - \(.*\) # SKIP */   skipped: \1: /p' "$log"
    if [ "$f" -gt 0 ]; then
        # What a check printed of its own follows it.
        awk '/^not ok - / { sub(/^not ok - /, "   FAILED: "); print; left = 12; next }
             /^ok - / { left = 0 }
             left > 0 { print "   | " $0; left-- }' "$log"
        echo "   the end of $log:"
        tail -n 80 "$log" | sed 's/^/   | /'
    fi
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
    table="$table$(printf '%-10s %7d %7d %8d %7ds' "$1" "$p" "$f" "$s" $(($(date +%s) - started)))
"
}

if [ $# -eq 0 ]; then
    # Split into words on purpose.
    # shellcheck disable=SC2086
    set -- $SUITES
fi
for suite in "$@"; do
    case " $SUITES " in
    *" $suite "*) ;;
    *)
        echo "no suite called $suite; there are: $SUITES" >&2
        exit 2
        ;;
    esac
done
for suite in "$@"; do run_suite "$suite"; done

echo
printf '%-10s %7s %7s %8s %8s\n' suite passed failed skipped time
printf '%s' "$table"
echo
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
