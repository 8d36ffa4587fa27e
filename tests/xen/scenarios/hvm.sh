#!/bin/bash
# HVM: boots from its disk by BIOS with emulated devices only, and upgraded to PV ones; reboots; xl sees and destroys it.
# lab: --timeout 2400 --dom0-memory 1200
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
machine_script emulated.script sda
machine_run emulated "xen_nopv console=ttyS0"

# The same disk in another guest, which has Xen's drivers and starts anew once.
machine_script upgraded.script xvda
cat >>upgraded.script <<-'END'
	marker=$(dd if=/dev/xvda bs=64k skip=1520 count=1 2>/dev/null | head -c 6)
	if [ "$marker" != second ]; then
		printf second | dd of=/dev/xvda bs=64k seek=1520 conv=fsync 2>/dev/null
		say "first boot"
		reboot -f
	fi
	say "second boot"
END
machine_run upgraded "console=ttyS0" 'on_reboot="restart"'
tr -d '\r' <"/tmp/upgraded.serial" | grep -q '^guest: second boot' || fail "no second boot"

say "xl destroys one"
xsplit create -p upgraded.cfg || fail "create"
model=$(xenstore-read "/local/domain/$(xsplit domid upgraded)/image/device-model-pid")
sed -n 's/^\(Uid\|NoNewPrivs\|Seccomp\):/device model: &/p' "/proc/$model/status"
grep -qE '^Uid:.19[0-9]{8}.19[0-9]{8}' "/proc/$model/status" || fail "the device model runs as somebody else"
xl list upgraded || fail "xl list"
xl destroy upgraded || fail "xl destroy"
wait_for 60 gone upgraded || fail "it stays"
[ ! -e "/proc/$model" ] || fail "its device model stays"

say "a device model that dies"
xsplit create upgraded.cfg 'on_crash="destroy"' || fail "create"
model=$(xenstore-read "/local/domain/$(xsplit domid upgraded)/image/device-model-pid")
kill -9 "$model"
wait_for 60 gone upgraded || fail "the guest stays"
grep "device model" /tmp/xsplitd.log || fail "xsplitd says nothing"
left=$(xenstore-ls -f | grep -E "^/(local/domain/[1-9]|local/domain/0/(backend|device-model)/.|libxl/[1-9]|vm/[^0]|tool/xsplit/domain/.)" || true)
[ -z "$left" ] || fail "nodes left: $left"
no_kernel_backend
