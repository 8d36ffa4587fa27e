#!/bin/bash
# A PV guest, stock Debian: its disk and network card are ours, the data is right, it ends cleanly.
# stores: ours c ocaml
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
pings=1000
guest_run pv pv 1 with fio
no_kernel_backend
