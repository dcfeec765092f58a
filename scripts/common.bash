# shellcheck shell=bash
# What the scripts beside this file share: where things are kept, how they speak, and how one
# gets at Debian packages without installing them. Sourced, never run.

export HOME=${HOME-~} # some CI starts without it

# Programs that homeostat runs and that did not come with the machine.
CACHE=${HOMEOSTAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/homeostat}
# shellcheck disable=SC2034  # read by the scripts that source this
BIN=$CACHE/bin

log() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { log "$*"; exit 1; }

# usage: the comment at the head of the running script.
usage() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }

is_debian() { [ -r /etc/os-release ] && grep -qx 'ID=debian' /etc/os-release && command -v apt-get >/dev/null; }
is_root() { [ "$(id -u)" -eq 0 ]; }

# mirror: the Debian mirror that this machine is set up to use.
mirror() {
    local found=${DEBIAN_MIRROR:-}
    # shellcheck disable=SC2016  # $(SITE) is apt's own placeholder
    [ -n "$found" ] || found=$(apt-get indextargets --no-release-info --format '$(SITE)' 'Created-By: Packages' |
        awk '/\/debian\/?$/ && !seen++')
    [ -n "$found" ] || { log 'apt knows no Debian mirror; set DEBIAN_MIRROR to one'; return 1; }
    printf '%s\n' "${found%/}"
}

# unpack SUITE DIR PACKAGE...: unpack packages of any suite into DIR, installing nothing. apt, with
# lists of its own under the cache, checks the archive's signature and every checksum. Needs no root.
unpack() {
    local suite=$1 into=$2 apt site deb work
    shift 2
    site=$(mirror) || return 1
    apt=$CACHE/apt/$suite
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$into"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$site" "$suite" >"$apt/sources.list"
    : >"$apt/status"
    local options=(-qq
        -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$apt/lists" -o "Dir::State::Status=$apt/status" -o "Dir::Cache=$apt"
        -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::PDiffs=false -o Acquire::Retries=3)
    # An hour is short enough for the archive still to hold what the lists name.
    if [ -z "$(find "$apt/updated" -mmin -60 2>/dev/null)" ]; then
        apt-get "${options[@]}" update >&2 || return 1
        touch "$apt/updated"
    fi
    work=$(mktemp -d)
    if ! (cd "$work" && apt-get "${options[@]}" download "$@" >&2); then
        rm -rf "$work" "$apt/updated"
        return 1
    fi
    for deb in "$work"/*.deb; do dpkg -x "$deb" "$into" || return 1; done
    rm -rf "$work"
}
