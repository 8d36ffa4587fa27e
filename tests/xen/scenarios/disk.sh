#!/bin/bash
# A disk of lab-guest's boots by BIOS as an HVM guest of Debian's xl, on our store: Xen's half of what hvm.sh does.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

cat >disk.script <<-'END'
	#!/bin/sh
	for disk in xvda sda; do
		if [ -b /dev/$disk ]; then
			echo "guest: booted from $disk, $(cat /sys/hypervisor/type 2>/dev/null || echo no hypervisor seen)"
			dd if=/dev/$disk bs=1M count=8 2>/dev/null | wc -c | sed 's/^/guest: read /'
			exit 0
		fi
	done
	echo "guest: no disk"
	exit 1
END
lab-guest --disk --append console=ttyS0 --script disk.script -o disk.img || fail "lab-guest --disk"
cat >disk.cfg <<-END
	name="disk"
	type="hvm"
	memory=512
	boot="c"
	vnc=0
	serial="file:/tmp/disk.serial"
	disk=["format=raw,vdev=hda,backendtype=qdisk,target=$PWD/disk.img"]
END
say "xl create"
xl create disk.cfg || fail "xl create: $(cat /var/log/xen/xl-disk.log /var/log/xen/qemu-dm-disk.log)"
wait_for 400 grep '^guest: exit' /tmp/disk.serial || fail "no end: $(tail -n 30 /tmp/disk.serial)"
grep '^guest: ' /tmp/disk.serial
grep -q '^guest: read 8388608' /tmp/disk.serial || fail "it did not read its disk"
grep -q '^guest: exit 0' /tmp/disk.serial || fail "its script failed"
