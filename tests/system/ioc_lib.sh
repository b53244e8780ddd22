# Shared by the tests that run IOCs: the softIoc image and looks from the outside. Inside a vhost only.
SCRATCH=$(mktemp -d)
EPICS=$(find /var/cache/clara -maxdepth 1 -name 'epics-base-*' -not -name '*.partial' | sort | tail -1)/bin/linux-x86_64
PVA=$(find /var/cache/clara -maxdepth 1 -name 'epics-pva-*' | sort | tail -1)/bin/linux-x86_64
export EPICS_CA_AUTO_ADDR_LIST=YES

# An IOC image is built once a machine and handed to each virtual host (building takes seconds, tests are many).
need_image() {
    [ -x "$EPICS/softIoc" ] || skip "no EPICS base in /var/cache/clara (./dev setup builds it)"
    "$EPICS/caRepeater" </dev/null >/dev/null 2>&1 & # or caget starts one that keeps our pipes open
    clara-image build epics-softioc >&2
}
need_pva_image() {
    [ -x "$PVA/softIocPVA" ] || skip "no EPICS base with PVAccess in /var/cache/clara (./dev setup builds it)"
    "$EPICS/caRepeater" </dev/null >/dev/null 2>&1 &
    clara-image build epics-softioc-pva >&2
}
ca_says() { [ "$("$EPICS/caget" -t -w 2 "$1" 2>/dev/null)" = "$2" ]; } # PV VALUE
pva_says() { # PV VALUE: what EPICS' own client reads within 3 s
    [ "$("$PVA/pvget" -w 3 "$1" 2>/dev/null | awk '{print $NF}')" = "$2" ]
}
banner() { # ADDRESS PORT TEXT: the port answers with a line like TEXT
    local line
    { exec {tcp}<>"/dev/tcp/$1/$2"; } 2>/dev/null || return 1
    IFS= read -r -t 5 line <&"$tcp" || true
    exec {tcp}<&-
    [[ $line == *$3* ]]
}
limit() { # NAME V1-FILE V2-FILE: what the kernel holds a running guest to
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then lxc-cgroup -n "$1" "$3"; else lxc-cgroup -n "$1" "$2"; fi
}
