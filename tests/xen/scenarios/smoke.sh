#!/bin/bash
# One boot, a PV and a PVH guest one after the other: disk and network card of both are ours.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
guest_run pv pv 1
guest_run pvh pvh 2
no_kernel_backend
