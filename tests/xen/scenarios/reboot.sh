#!/bin/bash
# A PV and a PVH guest that reboot, and are asked to, start anew on the disk that they wrote.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

cat >again.script <<-'END'
	#!/bin/sh
	fail() { echo "guest: FAIL: $*"; exit 1; }
	mount -t ext4 /dev/xvda /mnt || fail "no mount"
	boot=$(($(cat /mnt/boot 2>/dev/null || echo 0) + 1))
	echo $boot >/mnt/boot
	echo "guest: boot $boot"
	if [ $boot -eq 1 ]; then
		dd if=/dev/urandom of=/mnt/file bs=64k count=64 2>/dev/null && md5sum /mnt/file >/mnt/sum || fail "no write"
	else
		md5sum -c -s /mnt/sum || fail "the file reads back differently"
	fi
	umount /mnt || fail "no umount"
	case $boot in
	1) reboot -f ;;
	2) echo "guest: waits to be asked" ;;
	*) exit 0 ;;
	esac
	sleep 600
END

# boots NAME TYPE
boots() {
	guest_write "$1" "$2"
	cp again.initrd "$1.initrd"
	guest_create "$1"
	log=/var/log/xen/guest-$1.log
	wait_for 300 grep '^guest: waits to be asked' "$log" || fail "$1: no second boot"
	xsplit reboot "$1" || fail "$1: xsplit reboot"
	wait_for 300 grep '^guest: boot 3' "$log" || fail "$1: no third boot"
	guest_end "$1" 300
	tr -d '\r' <"$log" | grep '^guest: boot'
	say "$1: three boots on one disk"
}

host_start
lab-guest --script again.script -o again.initrd || fail "lab-guest"
boots pv pv
boots pvh pvh
