# Asserts for the *.test scripts: . "$(dirname "$0")/../system/lib.sh"
# A failed one names file and line, shows what the last command said, and ends the test.
set -euo pipefail
CLARA_SOURCE=${CLARA_SOURCE:-$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")}
CLARA_BUILD=${CLARA_BUILD:-$CLARA_SOURCE/build}
CLARA_BIN=${CLARA_BIN:-$CLARA_BUILD/bin}
export CLARA_SOURCE CLARA_BUILD CLARA_BIN
PATH=$CLARA_BIN:$PATH
out='' err='' status=0 # of the last `run`

# Where in the test script we are: the innermost frame outside this file.
where() {
    local i
    for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
        [ "${BASH_SOURCE[i]}" = "${BASH_SOURCE[0]}" ] && continue
        echo "${BASH_SOURCE[i]}:${BASH_LINENO[i - 1]}"
        return
    done
}
fail() {
    printf '%s: %s\n' "$(where)" "$*" >&2
    printf '  status %s\n  stdout: %s\n  stderr: %s\n' "$status" "$out" "$err" >&2
    exit 1
}
trap 'echo "$(where): unexpected status $? of: $BASH_COMMAND" >&2' ERR
set -o errtrace

skip() { # REASON: ctest reports it; CI fails on it
    echo "SKIPPED: $*" >&2
    exit 77
}

# in_vhost "$0" "$@": go on in a virtual host of our own (variables that are set are handed on).
in_vhost() {
    [ -z "${CLARA_VHOST:-}" ] || return 0
    [ "$(id -u)" = 0 ] || skip "needs root"
    exec "$CLARA_SOURCE/tests/system/vhost" "$@"
}
scratch() { # a folder that goes with the test
    SCRATCH=$(mktemp -d)
    trap 'rm -rf "$SCRATCH"' EXIT
}

run() { # STATUS CMD...: CMD must end with STATUS ("any" takes all); its output is in $out and $err
    local want=$1 log
    shift
    log=$(mktemp)
    status=0
    out=$("$@" 2>"$log") || status=$?
    err=$(<"$log")
    rm -f "$log"
    [ "$want" = any ] || [ "$status" = "$want" ] || fail "status $status instead of $want: $*"
}
says() { [[ $out$'\n'$err == *"$1"* ]] || fail "not said: $1"; }   # TEXT in stdout or stderr of the last run
says_not() { [[ $out$'\n'$err != *"$1"* ]] || fail "said: $1"; }
prints() { [[ $out == *"$1"* ]] || fail "not on stdout: $1"; }     # TEXT in stdout
same() { [ "$1" = "$2" ] || fail "'$1' is not '$2'"; }
names_in() { find "$1" -mindepth 1 -maxdepth 1 -printf "%f\n" | sort | paste -sd " "; } # FOLDER: its entries
holds() { "$@" || fail "does not hold: $*"; }                      # CMD succeeds
holds_not() { ! "$@" || fail "holds: $*"; }
becomes() { # CMD...: succeeds within 10 s
    local tries
    for ((tries = 0; tries < 500; tries++)); do
        if "$@"; then return 0; fi
        sleep 0.02
    done
    fail "did not become true: $*"
}
