#!/bin/bash
# epics-softioc.sh DESTDIR: softIoc and the Channel Access tools of EPICS base into a root file system.
# Debian packages EPICS base's libraries but neither softIoc nor caget, so they are built from its source package
# (`apt-get source epics-base`), once: about 75 s on two cores. The result stays in $CLARA_CACHE.
set -euo pipefail

dest=${1:?usage: epics-softioc.sh DESTDIR}
cache=${CLARA_CACHE:-/var/cache/clara}
. /etc/os-release
release=${VERSION_CODENAME:?/etc/os-release names no release}
source=$cache/epics-source-$release

fail() { echo "epics-softioc: $1" >&2; exit 1; }

# <exe>/../../dbd is where softIoc looks for its definitions, so EPICS' own layout is kept below /usr/lib/epics.
install_from() {
    mkdir -p "$dest/usr/bin" "$dest/usr/lib/epics"
    cp -a --no-preserve=ownership "$1/." "$dest/usr/lib/epics/"
    local program
    for program in "$1"/bin/*/*; do
        ln -sfn "../lib/epics/${program#"$1"/}" "$dest/usr/bin/${program##*/}"
    done
}

check_tools() {
    local missing=() pair
    for pair in g++:g++ make:make perl:perl dpkg-source:dpkg-dev patch:patch flock:util-linux; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ -e /usr/include/readline/readline.h ] || missing+=(libreadline-dev)
    [ ${#missing[@]} = 0 ] || fail "building EPICS base needs: apt-get install ${missing[*]}"
}

# The host's own Debian mirror; deb.debian.org where its configuration names none.
mirror() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$release" '$1 ~ /\/debian\// && $2 == release && $3 == "main" { print $1; found = 1; exit }
                                   END { if (!found) print "http://deb.debian.org/debian" }'
}

# A sources list and index of our own: the host's apt configuration stays as it is.
download() {
    mkdir -p "$cache/apt/lists/partial"
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $release main" \
        >"$cache/apt/epics.list"
    local apt=(apt-get -q -o "Dir::Etc::SourceList=$cache/apt/epics.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$cache/apt/lists" -o APT::Sandbox::User=root -o Acquire::Retries=3)
    "${apt[@]}" update
    rm -rf "$source.partial"
    mkdir "$source.partial"
    (
        cd "$source.partial"
        "${apt[@]}" source --download-only --tar-only epics-base
        "${apt[@]}" source --download-only --diff-only epics-base
        # The signed index says all that the .dsc says. Some mirrors lack the .dsc of a stable release's update.
        entry=$(apt-cache "${apt[@]:2}" showsrc --only-source epics-base)
        version=$(sed -n 's/^Version: //p' <<<"$entry")
        sed 's/^Package: /Source: /; / [^ ]*\.dsc$/d' <<<"$entry" >"epics-base_$version.dsc"
    )
    mv "$source.partial" "$source"
}

build() {
    local work=$1 dsc=$2 top
    dpkg-source --no-check -x "$dsc" "$work/src"
    top=$work/src
    # Tests and PVAccess would take 15 minutes; softIoc needs neither.
    find "$top" -name Makefile -exec sed -i -E '/^[[:space:]]*DIRS[[:space:]]*\+?=[[:space:]]*[a-zA-Z/]*test[[:space:]]*$/d' {} +
    sed -i '/^SUBMODULES/d' "$top/modules/Makefile"
    nice make -C "$top" -j"$(nproc)" STATIC_BUILD=YES SHARED_LIBRARIES=NO >"$work/make.log" 2>&1 || {
        tail -n 30 "$work/make.log" >&2
        fail "make of $dsc failed"
    }
    local bin program
    bin=$(dirname "$(ls "$top"/bin/*/softIoc)")
    mkdir -p "$work/out/bin/${bin##*/}" "$work/out/dbd" "$work/out/db"
    for program in softIoc caget caput camonitor cainfo caRepeater; do
        install -s -m 0755 "$bin/$program" "$work/out/bin/${bin##*/}/$program"
    done
    install -m 0644 "$top/dbd/softIoc.dbd" "$work/out/dbd/"
    install -m 0644 "$top/db/softIocExit.db" "$work/out/db/"
    find "$work/out" -exec touch -d @0 {} +  # the same image each time
}

# Two builds at once: the second waits and finds the first one's result.
mkdir -p "$cache"
exec 9>"$cache/epics-base.lock"
flock -n 9 || { echo "epics-softioc: waiting for another build" >&2; flock 9; }

built() { find "$cache" -maxdepth 1 -type d -name "epics-base-*-$release" | sort -V | tail -n 1; }
if [ -z "$(built)" ]; then
    check_tools
    echo "epics-softioc: downloading EPICS base's source package" >&2
    [ -d "$source" ] || download >&2
    dsc=$(find "$source" -name 'epics-base_*.dsc')
    version=${dsc##*/epics-base_}
    version=${version%.dsc}
    echo "epics-softioc: building EPICS base $version (about 75 s, once)" >&2
    rm -rf "$cache"/.epics-base.*
    work=$(mktemp -d "$cache/.epics-base.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    build "$work" "$dsc"
    chmod 755 "$work/out"
    sync -f "$work/out"
    mv "$work/out" "$cache/epics-base-$version-$release"
fi
install_from "$(built)"
