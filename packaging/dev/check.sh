#!/bin/bash
# Style, static analysis, sanitizers and tests.
# usage: check.sh fmt [--check] | tidy | test
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
not_run=() # one line each, with the reason

say() { printf '\n== %s\n' "$*" >&2; }
sources() { find lib tests tools -name '*.[ch]pp' | sort; }
scripts() { find dev .ci packaging templates tests -type f -exec awk '
    FNR == 1 && /^#!\/bin\/(ba)?sh/ {print FILENAME} {nextfile}' {} + | sort; }

fmt() {
    local found
    if [ "${1-}" != --check ]; then
        sources | xargs clang-format -i
        return
    fi
    say "style"
    scripts | xargs shellcheck -S warning
    # Each major version lays code out a little differently; the tree is written with Debian 12's.
    found=$(clang-format --version | grep -oE 'version [0-9]+' | cut -d' ' -f2)
    if [ "$found" = 14 ]; then
        sources | xargs clang-format --dry-run --Werror
    else
        not_run+=("clang-format: the tree is laid out by version 14, this is $found")
    fi
}

sanitize() {
    say "unit and contract tests under the address and undefined behaviour sanitizers"
    cmake --preset sanitize >/dev/null
    cmake --build build-sanitize --target unit_tests contract_tests clara-init clara-libvirt
    ctest --test-dir build-sanitize --output-on-failure -R '^(unit|contract)$'
}

# What a test prints as "SKIPPED: REASON" has not been run, whatever ctest calls the rest of it.
skipped() {
    awk '/^[0-9]+\/[0-9]+ Test: /{test = $3} sub(/^.*SKIPPED: /, "") {print test ": " $0}' \
        build/Testing/Temporary/LastTest.log | sort -u
}

tests() {
    local status=0 line
    say "every test"
    ctest --test-dir build --output-on-failure -j 2 || status=$?
    while IFS= read -r line; do not_run+=("$line"); done < <(skipped)
    if [ ${#not_run[@]} -gt 0 ]; then
        printf '\nnot run on this machine:\n' >&2
        printf '  %s\n' "${not_run[@]}" >&2
        [ "${CI-}" != true ] || { echo "test: CI counts what was not run as a failure" >&2; status=1; }
    fi
    return $status
}

case ${1-} in
    fmt) fmt "${@:2}" ;;
    tidy) packaging/dev/tidy.py ;;
    test)
        started=$SECONDS
        fmt --check
        ./dev build
        say "clang-tidy"
        packaging/dev/tidy.py
        sanitize
        tests
        say "all well in $((SECONDS - started)) s"
        ;;
    *) echo "usage: check.sh fmt [--check] | tidy | test" >&2; exit 2 ;;
esac
