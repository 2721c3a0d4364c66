#!/bin/sh
# Builds Consul, the lease server of the end-to-end suite, into the cache, once for each version.
#
#   sh e2e/consul/build.sh
#
# Consul's own go.mod has replace directives, which `go install` refuses; so this folder is a small module of ours that
# requires Consul and builds its main package. It takes a while: see e2e/README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${ECTO_LITEFS_CACHE:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ecto_litefs}"
version=$(sed -n 's|.*github.com/hashicorp/consul v\([0-9.]*\).*|\1|p' "$here/go.mod" | head -n 1)
folder=$ECTO_LITEFS_CACHE/consul-$version
if [ ! -x "$folder/consul" ]; then
    mkdir -p "$folder"
    work=$(mktemp -d "$folder/build.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # Whole or not at all: a build that is cut off leaves nothing that looks like a program.
    (cd "$here" && CGO_ENABLED=0 nice -n 19 go build -mod=readonly -trimpath -o "$work/consul" github.com/hashicorp/consul)
    mv "$work/consul" "$folder/consul"
fi
echo "$folder/consul"
