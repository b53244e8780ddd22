#!/bin/bash
# epics-softioc.sh [--pva] DESTDIR: softIoc and the Channel Access tools of EPICS base into a root file system;
# with --pva also softIocPVA and the PVAccess tools.
# Debian packages EPICS base's libraries but neither softIoc nor caget nor anything of PVAccess, so they are built from
# its source package (`apt-get source epics-base`), once: on two cores about a minute, with PVAccess about two and a
# half. The results stay in $CLARA_CACHE.
set -euo pipefail

pva=
if [ "${1-}" = --pva ]; then
    pva=1
    shift
fi
dest=${1:?usage: epics-softioc.sh [--pva] DESTDIR}
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

# Tests, examples and bindings would take most of 15 minutes. Of the modules of PVAccess, QSRV (in pva2pva, beside a
# gateway) needs two.
choose_parts() {
    local top=$1
    find "$top" -name Makefile -exec sed -i -E '/^[[:space:]]*DIRS[[:space:]]*\+?=[[:space:]]*[a-zA-Z/]*test[[:space:]]*$/d' {} +
    sed -i -E '/^(DIRS \+= perl|perl_DEPEND_DIRS)/d' "$top/modules/ca/src/Makefile"
    if [ -z "$pva" ]; then
        sed -i '/^SUBMODULES/d' "$top/modules/Makefile"
        return
    fi
    sed -i -E '/^SUBMODULES \+= /{/ (pvData|pvAccess|pva2pva)$/!d}' "$top/modules/Makefile"
    sed -i -E '/^DIRS \+= (testApp|testCa|examples)$/d' "$top"/modules/{pvData,pvAccess}/Makefile
    sed -i -E '/^DIRS \+= \$\(wildcard iocBoot\)/d; /^testApp_/d; s/^(DIRS \+=) \$\(wildcard \*App\)/\1 pdbApp/' \
        "$top/modules/pva2pva/Makefile"
    # softIocPVA does not look beside itself for its definitions, as softIoc does.
    sed -i -E 's,^(USR_CPPFLAGS \+= -DFINAL_LOCATION=).*,\1"\\"/usr/lib/epics\\"",' \
        "$top/modules/pva2pva/pdbApp/Makefile"
}

# collect SRC OUT KIND: what an image takes of a finished build
collect() {
    local top=$1 out=$2 bin program programs=(softIoc caget caput camonitor cainfo caRepeater) dbd=softIoc.dbd
    bin=$(dirname "$(ls "$top"/bin/*/softIoc)")
    if [ "$3" = pva ]; then
        programs=(softIocPVA pvget pvput pvmonitor pvinfo pvlist)
        dbd=softIocPVA.dbd
    fi
    mkdir -p "$out/bin/${bin##*/}" "$out/dbd" "$out/db"
    for program in "${programs[@]}"; do
        install -s -m 0755 "$bin/$program" "$out/bin/${bin##*/}/$program"
    done
    install -m 0644 "$top/dbd/$dbd" "$out/dbd/"
    install -m 0644 "$top/db/softIocExit.db" "$out/db/"
    find "$out" -exec touch -d @0 {} + # the same image each time
    chmod 755 "$out"
}

# All is stripped in the end, and -O2 is Debian's own level: EPICS' -O3 -g would only take longer.
build() {
    local work=$1 dsc=$2
    dpkg-source --no-check -x "$dsc" "$work/src"
    choose_parts "$work/src"
    nice make -C "$work/src" -j"$(nproc)" STATIC_BUILD=YES SHARED_LIBRARIES=NO OPT_CFLAGS=-O2 OPT_CXXFLAGS=-O2 \
        >"$work/make.log" 2>&1 || {
        tail -n 30 "$work/make.log" >&2
        fail "make of $dsc failed"
    }
}

# Two builds at once: the second waits and finds the first one's result.
mkdir -p "$cache"
exec 9>"$cache/epics-base.lock"
flock -n 9 || { echo "epics-softioc: waiting for another build" >&2; flock 9; }

built() { find "$cache" -maxdepth 1 -type d -name "epics-$1-*-$release" | sort -V | tail -n 1; } # KIND: base or pva
kinds=(base ${pva:+pva})
needed=()
for kind in "${kinds[@]}"; do
    [ -n "$(built "$kind")" ] || needed+=("$kind")
done
if [ ${#needed[@]} -gt 0 ]; then
    # PVAccess is built upon base, whether that is needed or not: a source tree of 100 MB is not kept for it.
    check_tools
    if [ ! -d "$source" ]; then
        echo "epics-softioc: downloading EPICS base's source package" >&2
        download >&2
    fi
    dsc=$(find "$source" -name 'epics-base_*.dsc')
    version=${dsc##*/epics-base_}
    version=${version%.dsc}
    took="a minute"
    [ -z "$pva" ] || took="two and a half minutes"
    echo "epics-softioc: building EPICS base $version${pva:+ with PVAccess} (about $took, once)" >&2
    rm -rf "$cache"/.epics-base.*
    work=$(mktemp -d "$cache/.epics-base.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    build "$work" "$dsc"
    for kind in "${needed[@]}"; do
        collect "$work/src" "$work/$kind" "$kind"
        sync -f "$work/$kind"
        mv "$work/$kind" "$cache/epics-$kind-$version-$release"
    done
fi
for kind in "${kinds[@]}"; do install_from "$(built "$kind")"; done
