#!/bin/bash
# An HVM guest boots from its disk by BIOS, once with emulated devices only, once upgraded to PV ones.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
machine_script emulated.script sda
machine_run emulated "xen_nopv console=ttyS0"
machine_script upgraded.script xvda
machine_run upgraded "console=ttyS0"
no_kernel_backend
