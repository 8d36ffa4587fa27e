#!/bin/bash
# HVM with OVMF: the same disk boots by UEFI; upgraded to PV devices.
# lab: --timeout 1500 --dom0-memory 1200
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
machine_script uefi.script xvda
machine_run uefi "console=ttyS0" 'bios="ovmf"' 'disk=["vdev=hda,target=uefi.img"]'
no_kernel_backend
