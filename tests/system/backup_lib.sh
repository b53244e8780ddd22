# Containers that are there in no time, and a store with faults on demand. Source it inside a vhost only.
SCRATCH=$(mktemp -d)
folder=$SCRATCH/folder # what lies in the store
store=$SCRATCH/store   # where it is mounted
points=$store/backups/web
pool=/var/lib/clara

mount_store() { # [FOLDER MOUNTPOINT]: by FUSE; its server's pid is in $server
    mkdir -p "$folder" "$store"
    no_fault
    server=$(python3 "$CLARA_SOURCE/tests/fixtures/fuse_folder.py" "${1-$folder}" "${2-$store}" "$SCRATCH/faults")
}
fault() { # FAULT...: from now on, see fixtures/fuse_folder.py
    rm -f "$SCRATCH/faults.met"
    printf '%s\n' "# $RANDOM$RANDOM" "$@" >"$SCRATCH/faults.new"
    mv "$SCRATCH/faults.new" "$SCRATCH/faults"
}
no_fault() { fault; }
met() { [ -e "$SCRATCH/faults.met" ]; } # calls are waiting for their answer
gone() { [ ! -d "/proc/$1" ]; }         # PID

small_guest() { # NAME...: servers of busybox
    local tree=$SCRATCH/tree applet
    mkdir -p "$tree"/{bin,sbin,dev,etc,proc,root,run,sys,tmp}
    cp /bin/busybox "$tree/bin/"
    for applet in sh cat cp dd head mkdir rm sleep sync touch tr; do ln -sf busybox "$tree/bin/$applet"; done
    ln -sf ../bin/busybox "$tree/sbin/init"
    echo root:x:0:0::/root:/bin/sh >"$tree/etc/passwd"
    printf '::sysinit:/bin/touch /run/booted\n::shutdown:/bin/sync\n' >"$tree/etc/inittab"
    clara-image import "$tree" --name small >&2
    printf 'image: small\ndescription: small\ndisk: 64M\n' >"$SCRATCH/small.yaml"
    clara-ioc-create "$@" --template "$SCRATCH/small.yaml" >&2
}
inside() { lxc-attach -n "$1" -- sh -c "$2"; } # GUEST COMMANDS
put() { # GUEST PATH TEXT: into a container that does not run, as its root
    printf '%s\n' "$3" >"$SCRATCH/text"
    printf '%s\n' "rm /upper$2" "write $SCRATCH/text /upper$2" "sif /upper$2 uid 100000" "sif /upper$2 gid 100000" |
        debugfs -w -f - "$pool/guests/$1/disk.raw" >/dev/null 2>&1
}
field() { # GUEST KEY [INDEX]: of a point as list --json tells it, default the newest
    clara-backup list "$1" --json | python3 -c 'import json,sys
print(json.load(sys.stdin)["points"][int(sys.argv[2])][sys.argv[1]])' "$2" "${3--1}"
}
states() { # GUEST
    clara-backup list "$1" --json | python3 -c 'import json,sys
print(*[p["state"] for p in json.load(sys.stdin)["points"]])'
}
newest() { field "$1" name; }
point_has() { # GUEST POINT PATH TEXT: with QEMU's and e2fsprogs' own tools alone
    qemu-img convert -f qcow2 -O raw "$store/backups/$1/$2/disk.qcow2" "$SCRATCH/point.raw" &&
        debugfs -R "cat /upper$3" "$SCRATCH/point.raw" 2>/dev/null | grep -x "$4" >&2
}
nothing_partial() { # GUEST: nothing of a point but whole ones
    ! compgen -G "$folder/backups/$1/.*.*" >/dev/null
}
