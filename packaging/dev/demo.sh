#!/bin/bash
# Two real IOCs from templates/soft-ioc.yaml, proven from the outside. usage: demo.sh [--clean]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
guests=(demo1 demo2)
image=epics-softioc
pool=/var/lib/clara
made=$pool/demo.made # what the demo made, one "KIND NAME" a line: --clean removes that and no more

say() { printf '\n== %s\n' "$*" >&2; }
has_guest() { clara-list --names | grep -x "$1" >/dev/null; }
has_image() { clara-image list | grep "^$1@" >/dev/null; }

clean() {
    local kind name own_pool=
    [ -e $made ] || { echo "demo: nothing of the demo is here" >&2; return; }
    while read -r kind name <&3; do
        case $kind in
            guest) ! has_guest "$name" || clara-destroy -y --force "$name" ;;
            image) ! has_image "$name" || clara-image remove -y "$name" ;;
            host) clara-host clean -y ;;
            pool) own_pool=1 ;;
        esac
    done 3< <(tac $made)
    rm $made
    # clara-host has emptied it, but for somebody else's guests and images.
    [ -z "$own_pool" ] || rmdir --ignore-fail-on-non-empty $pool
    echo "demo: removed; kept: Debian's packages, build/ and EPICS base in /var/cache/clara" >&2
}

run() {
    local name address status=0 absent=()
    if [ ! -e $made ]; then # asked once: a reboot takes the bridge away, whoever made it
        [ -e $pool ] || absent+=("pool .")
        [ -e /sys/class/net/clarabr0 ] || absent+=("host .")
        mkdir -p $pool
        [ ${#absent[@]} -eq 0 ] || printf '%s\n' "${absent[@]}" >$made
    fi
    clara-host prepare
    if ! has_image $image; then
        say "image $image (EPICS base is compiled once, about a minute)"
        echo "image $image" >>$made
        clara-image build $image
    fi
    for name in "${guests[@]}"; do
        if has_guest "$name"; then
            clara-start "$name"
        else
            say "$name"
            echo "guest $name" >>$made
            clara-ioc-create "$name" --template soft-ioc --start
        fi
    done
    say "proof from the outside, by a client that knows nothing of clara"
    for name in "${guests[@]}"; do
        address=$(clara-list --json "$name" | python3 -c 'import json,sys; print(json.load(sys.stdin)["guests"][0]["address"])')
        packaging/dev/outside.py "$address" "${name^^}:STATUS" || status=1
    done
    say "now try: telnet $address 7001, clara-list, clara-console ${guests[0]}; remove it all: ./dev demo --clean"
    return $status
}

[ "$(id -u)" = 0 ] || { echo "demo: makes containers and a bridge, which needs root: sudo ./dev demo" >&2; exit 4; }
case ${1-} in
    --clean) clean ;;
    '') run ;;
    *) echo "usage: ./dev demo [--clean]" >&2; exit 2 ;;
esac
