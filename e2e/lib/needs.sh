# needs.sh - what the end-to-end suite needs of the machine, and LiteFS itself. To be sourced, with $ROOT set.

LITEFS_VERSION=0.5.14
: "${ECTO_LITEFS_CACHE:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ecto_litefs}"

# needs_missing: prints, one a line, what keeps the suite from running here; nothing if it can.
needs_missing() {
    [ "$(uname -s)" = Linux ] || echo "Linux (network namespaces)"
    [ "$(id -u)" -eq 0 ] || echo "root"
    [ -c /dev/fuse ] || echo "/dev/fuse"
    [ -c /dev/net/tun ] || echo "/dev/net/tun"
    for tool in cc ip nsenter fusermount3 setsid curl sqlite3 erl; do
        command -v "$tool" >/dev/null 2>&1 || echo "$tool"
    done
    [ "$(id -u)" -ne 0 ] || namespaces_work || echo "network namespaces (ip netns add is refused)"
    [ -n "$(litefs_program)" ] || command -v go >/dev/null 2>&1 || echo "a Go toolchain, to install LiteFS"
}

# Some containers have root and no right to make a namespace.
namespaces_work() {
    command -v ip >/dev/null 2>&1 || return 0
    probe=elfs-probe-$$
    ip netns add "$probe" 2>/dev/null || return 1
    ip netns del "$probe"
}

# litefs_program: prints the path of LiteFS if it is installed: $E2E_LITEFS, or in the cache.
litefs_program() {
    for candidate in "${E2E_LITEFS:-}" "$ECTO_LITEFS_CACHE/litefs-$LITEFS_VERSION/litefs"; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            echo "$candidate"
            return 0
        fi
    done
}

# litefs_install: installs LiteFS as the Go program that it is, into the cache. A build that is cut off leaves nothing
# that looks like a program.
litefs_install() {
    folder=$ECTO_LITEFS_CACHE/litefs-$LITEFS_VERSION
    mkdir -p "$folder" || return 1
    work=$(mktemp -d "$folder/install.XXXXXX") || return 1
    CGO_ENABLED=0 GOBIN=$work nice go install "github.com/superfly/litefs/cmd/litefs@v$LITEFS_VERSION" &&
        mv "$work/litefs" "$folder/litefs"
    code=$?
    rm -rf "$work"
    return "$code"
}
