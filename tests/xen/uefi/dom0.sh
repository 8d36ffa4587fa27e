#!/bin/bash
# A guest's life with OVMF as its firmware.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

over() {
	grep -q 'guest: exit' /tmp/uefi.serial || gone uefi
}

# life: from its creation until its script has ended; false when its processor gave up. The firmware alone
# takes seven minutes under emulation, when nothing else wants the processors.
life() {
	local before
	before=$(triple_faults)
	rm -f /tmp/uefi.serial
	say "uefi: create"
	xsplit create uefi.cfg || fail "create: $(cat /run/xsplit/*.log)"
	xl list | grep -q "^uefi " || fail "xl list does not show it"
	wait_for 1500 over || fail "it did not end within 1500 s: $(tail -n 30 /tmp/uefi.serial)"
	grep -q 'guest: exit' /tmp/uefi.serial && return
	[ "$(triple_faults)" != "$before" ] || fail "it ended without a word: $(tail -n 30 /tmp/uefi.serial)"
	return 1
}

cp OvmfXen.fd /usr/lib/xen-4.17/boot/ovmf.bin || fail "no OVMF"
host_start
machine_script uefi.script xvda
machine_write uefi "console=ttyS0" 'bios="ovmf"' 'disk=["vdev=hda,target=uefi.img"]' 'on_reboot="destroy"'
tries=3
until life; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || fail "a triple fault three times"
	say "uefi: a triple fault, as QEMU's emulated processor has them (docs/lab.md); once more"
done
machine_end uefi 1
no_kernel_backend
