#!/bin/bash
# pygrub finds a PVH guest's kernel in its disk, as a user of its own; GRUB as the kernel finds it for PVH and PV.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
cat >boot.script <<-'END'
	#!/bin/sh
	echo "guest: $(cat /proc/cmdline)"
END
lab-guest --disk --append "console=hvc0 by=pygrub" --script boot.script -o boot.img || fail "lab-guest"
cat >boot.cfg <<-END
	name="boot"
	type="pvh"
	memory=256
	bootloader="pygrub"
	disk=["vdev=xvda,target=boot.img"]
END
xsplit create boot.cfg || fail "create"
! compgen -G '/run/xsplit/boot.*' || fail "what pygrub found stays"
wait_for 200 gone boot || fail "it does not end"
tr -d '\r' </var/log/xen/guest-boot.log | grep '^guest: '
grep -q '^guest: .*by=pygrub' /var/log/xen/guest-boot.log || fail "not by pygrub"

say "a disk without a kernel"
truncate -s 8M empty.img
! xsplit create boot.cfg 'disk=["vdev=xvda,target=empty.img"]' 2>error || fail "booted from nothing"
cat error
! compgen -G '/run/xsplit/boot.*' || fail "its directory stays"

# grub NAME TYPE IMAGE: the disk boots with GRUB as the guest's kernel.
grub() {
	say "$2 by $3"
	lab-guest --disk --append "console=hvc0 by=$1" --script boot.script -o "$1.img" || fail "lab-guest --disk"
	cat >"$1.cfg" <<-END
		name="$1"
		type="$2"
		memory=384
		kernel="/usr/lib/grub-xen/$3"
		disk=["vdev=xvda,target=$1.img"]
	END
	xsplit create "$1.cfg" || fail "create"
	wait_for 300 gone "$1" || fail "it does not end: $(tail -n 20 "/var/log/xen/guest-$1.log")"
	tr -d '\r' <"/var/log/xen/guest-$1.log" | grep '^guest: '
	grep -q "^guest: .*by=$1" "/var/log/xen/guest-$1.log" || fail "not by GRUB"
}
grub grubpvh pvh grub-i386-xen_pvh.bin
grub grubpv pv grub-x86_64-xen.bin
