#!/bin/bash
# Two real IOCs from templates/soft-ioc.yaml, proven from the outside. usage: demo.sh [--clean]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
guests=(demo1 demo2)
image=epics-softioc
pool=/var/lib/clara
made=$pool/demo.made # what the demo made and --clean may therefore remove

say() { printf '\n== %s\n' "$*" >&2; }
has_guest() { clara-list --names | grep -qx "$1"; }
has_image() { compgen -G "$pool/images/$image@*" >/dev/null; }

clean() {
    local kind name
    [ -e $made ] || { echo "demo: nothing of the demo is here" >&2; return; }
    while read -r kind name <&3; do
        case $kind in
            guest) ! has_guest "$name" || clara-destroy -y --force "$name" ;;
            image) ! has_image || clara-image remove -y "$name" ;;
        esac
    done 3< <(tac $made)
    rm $made
    clara-host clean -y
    echo "demo: removed; kept: Debian's packages, build/ and EPICS base in /var/cache/clara" >&2
}

run() {
    local name address status=0
    clara-host prepare
    mkdir -p $pool
    touch $made
    if ! has_image; then
        say "image $image (EPICS base is compiled once, about 75 s)"
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
