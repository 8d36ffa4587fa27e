#!/bin/bash
# A guest's life with OVMF as its firmware.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

cp OvmfXen.fd /usr/lib/xen-4.17/boot/ovmf.bin || fail "no OVMF"
host_start
# The firmware alone takes seven minutes under emulation, when nothing else wants the processors.
machine_limit=1500
machine_script uefi.script xvda
machine_run uefi "console=ttyS0" 'bios="ovmf"' 'disk=["vdev=hda,target=uefi.img"]'
no_kernel_backend
