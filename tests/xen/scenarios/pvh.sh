#!/bin/bash
# A PVH guest with two vcpus, stock Debian: its disk and network card are ours, it ends cleanly.
# stores: ours c ocaml
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
pings=1000
guest_run pvh pvh 2 with fio
no_kernel_backend
