# packages.sh - installs what is missing from Debian's packages. To be sourced.
#
#   need_packages PACKAGE...
#
# Asks dpkg first, so that a machine that has everything needs neither network nor root. Elsewhere than on
# Debian it says what would be needed and goes on.

need_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "not a Debian system: expecting what these packages hold: $*"
        return 0
    fi
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    sudo=
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    echo "installing:$missing"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q
    # Split into words on purpose.
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}
