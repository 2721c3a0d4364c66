#!/bin/sh
# Checks who includes whom in c_src.
#
#   sh tests/check_layers.sh [C_SRC_DIR]
#
# Dependencies run one way: base <- codec <- ecto, base <- store, base <- detect, base <- ei, then node,
# client and app on top. PURE files do no I/O, so they see no socket, SQLite, curl or ei header: all of base, codec
# and ecto, store/{batch,commit,sql_text}, and every file whose header says "PURE." in its top comment.
# Prints a line a check in TAP form and fails if one does not hold.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "${1:-$root/c_src}"

allowed() {
    case $1 in
    base) echo base ;;
    codec) echo base codec ;;
    ecto) echo base codec ecto ;;
    store) echo base store ;;
    detect) echo base detect ;;
    ei) echo base ei ;;
    node) echo base codec store ecto detect ei node ;;
    client) echo base codec ei client ;;
    app) echo base codec ecto store detect ei node client app ;;
    *) return 1 ;;
    esac
}

io_headers='sys/(socket|un|epoll|event)\.h|netinet/.*|arpa/.*|net/.*|netdb\.h|poll\.h|sqlite3(ext)?\.h|curl/.*|ei(_connect)?\.h'

# includes FILE: its include lines as "line-number:rest", macro spacing taken out.
includes() {
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*//p;t;s/.*//p' "$1" | grep -n . || true
}

says_pure() {
    stem=${1%.*}
    case $stem in
    base/* | codec/* | ecto/* | store/batch* | store/commit* | store/sql_text*) return 0 ;;
    esac
    [ -f "$stem.h" ] && sed '/\*\//q' "$stem.h" | grep -q '^ \* PURE\.'
}

failed=0
# report NAME PROBLEMS: one TAP line, the problems below it.
report() {
    if [ -z "$2" ]; then
        echo "ok - $1"
    else
        failed=1
        echo "not ok - $1"
        printf '%s\n' "$2" | sed 's/^/    /'
    fi
}

# layer_problems LAYER: quoted includes that are not of an allowed layer.
layer_problems() {
    may=$(allowed "$1") || { echo "c_src/$1 is not a layer: add it to tests/check_layers.sh"; return; }
    for file in $(find "$1" -name '*.[ch]' | sort); do
        includes "$file" | while IFS=: read -r line what; do
            case $what in
            \"*/../* | \"../*) echo "$file:$line: $what: write the path from c_src" ;;
            \"*/*)
                layer=${what#\"}
                layer=${layer%%/*}
                case " $may " in
                *" $layer "*) ;;
                *) echo "$file:$line: $1 must not include $what" ;;
                esac
                ;;
            \"*) echo "$file:$line: $what: write the path from c_src" ;;
            esac
        done
    done
}

# pure_problems LAYER: headers that do I/O in its PURE files, whatever the quotes.
pure_problems() {
    for file in $(find "$1" -name '*.[ch]' | sort); do
        says_pure "$file" || continue
        includes "$file" | grep -E ":[<\"]($io_headers)[>\"]" | sed "s|^|$file:|; s|\$| in a PURE file|"
    done
}

# Files that belong to no layer.
stray=$(find . -maxdepth 1 -name '*.[ch]' | sed 's|^\./|c_src/|; s|$| is in no layer|')
report "every file is in a layer" "$stray"

seen=0
for dir in */; do
    layer=${dir%/}
    [ -d "$layer" ] && [ -n "$(find "$layer" -name '*.[ch]' | head -n 1)" ] || continue
    seen=$((seen + 1))
    report "$layer includes only its layers" "$(layer_problems "$layer")"
    report "$layer: PURE files do no I/O" "$(pure_problems "$layer")"
done
if [ "$seen" -eq 0 ]; then report "there are files to check" "nothing found in $(pwd)"; fi
exit "$failed"
