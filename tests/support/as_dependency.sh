#!/bin/sh
# Builds the project as users do: from a copy, or as a dependency of a project of theirs.
#
#   sh tests/support/as_dependency.sh copy|rebar3|mix
#
# Everything happens in a temporary folder with a home of its own and, where the kernel allows it, without
# any network.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$work/home" "$work/ecto_litefs" "$work/app"
tar -C "$root" -cf - --exclude=./build --exclude=./_build --exclude=./priv --exclude=./.git . |
    tar -xf - -C "$work/ecto_litefs"

no_network=
if unshare -rn true 2>/dev/null; then no_network="unshare -rn"; fi

offline() {
    # Split into words on purpose.
    # shellcheck disable=SC2086
    env -u ERL_LIBS HOME="$work/home" MIX_REBAR3="$(command -v rebar3)" MIX_ENV=dev $no_network "$@"
}

says_version() { "$1" --version | grep -q '[0-9]\.[0-9]'; }

# finds_program EBIN: the dependency's module answers with a program that runs.
finds_program() {
    find_it='{ok, P} = ecto_litefs_cnode:executable(), io:put_chars(P), halt().'
    program=$(ERL_CRASH_DUMP_BYTES=0 erl -noshell -pa "$1" -eval "$find_it")
    says_version "$program"
}

copy() {
    cd "$work/ecto_litefs"
    offline rebar3 compile
    finds_program _build/default/lib/ecto_litefs/ebin
    offline rebar3 clean
    test ! -e priv/ecto_litefs_node
}

# From git, which is how a released dependency comes too.
rebar3_project() {
    cd "$work/ecto_litefs"
    git init -q -b main .
    git add -A .
    git -c user.name=test -c user.email=test@localhost commit -q -m copy
    mkdir "$work/app/src"
    cd "$work/app"
    cat >rebar.config <<END
{deps, [{ecto_litefs, {git, "file://$work/ecto_litefs", {branch, "main"}}}]}.
END
    cat >src/app.app.src <<END
{application, app, [{description, "a user"}, {vsn, "1"}, {applications, [kernel, stdlib, ecto_litefs]}]}.
END
    offline rebar3 compile
    finds_program _build/default/lib/ecto_litefs/ebin
}

mix_project() {
    cd "$work/app"
    cat >mix.exs <<'END'
defmodule App.MixProject do
  use Mix.Project

  def project do
    [app: :app, version: "1.0.0", deps: [{:ecto_litefs, path: "../ecto_litefs", manager: :rebar3}]]
  end
end
END
    offline mix compile
    finds_program _build/dev/lib/ecto_litefs/ebin
}

case ${1:-} in
copy) copy ;;
rebar3) rebar3_project ;;
mix) mix_project ;;
*)
    echo "usage: $0 copy|rebar3|mix" >&2
    exit 2
    ;;
esac
