#!/bin/bash
# pygrub finds a PVH guest's kernel in its disk, as a user of its own; it reboots by it too.
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
