#!/bin/bash
# epics-softioc-pva.sh DESTDIR: the layer of the image epics-softioc-pva (a layer names a script, not its flags).
exec "$(dirname "$(readlink -f "$0")")/epics-softioc.sh" --pva "$@"
