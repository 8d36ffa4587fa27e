#!/bin/bash
# A disk's device is removed from dom0 while a stock Debian guest reads it: an I/O error there, and its other disk goes on.
# lab: --timeout 900
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
modprobe null_blk nr_devices=0 || fail "no null_blk"
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config || fail "no configfs"
device=/sys/kernel/config/nullb/nullb0
mkdir $device || fail "no $device"
echo 64 >$device/size
echo 1 >$device/memory_backed
echo 1 >$device/power
disk=/dev/nullb0
wait_for 10 test -b "$disk" || fail "no $disk"

cat >gone.script <<-'END'
	#!/bin/sh
	say() { echo "guest: $*"; }
	fail() { say "FAIL: $*"; exit 1; }
	read_it() { dd if=/dev/xvdb of=/dev/null bs=64k count=16 skip=$((n % 900)) iflag=direct 2>/dev/null; }
	n=0
	dd if=/dev/urandom of=/dev/xvdb bs=1M count=4 oflag=direct 2>/dev/null || fail "no write"
	read_it || fail "no read"
	say "reads"
	while read_it; do n=$((n + 1)); done
	say "an error after $n reads"
	read_it && fail "it is back"
	mount -t ext4 /dev/xvda /mnt || fail "no mount"
	dd if=/dev/urandom of=/mnt/file bs=64k count=64 conv=fsync 2>/dev/null || fail "no write to the other disk"
	before=$(md5sum </mnt/file)
	umount /mnt && mount -t ext4 /dev/xvda /mnt || fail "no second mount"
	[ "$(md5sum </mnt/file)" = "$before" ] || fail "the file reads back differently"
	umount /mnt || fail "no umount"
	say "the other disk goes on"
END
lab-guest --script gone.script -o gone.initrd || fail "lab-guest"
guest_write gone pv
sed -i "s|target=gone-raw.img|target=$disk|" gone.cfg
guest_create gone
domid=$(xsplit domid gone)
wait_for 300 grep -q "^guest: reads" gone.words || fail "it does not read: $(cat gone.words)"
worker=$(pgrep -f -- "xsplit-backend --worker $domid") || fail "no worker"
say "remove $disk"
echo 0 >$device/power
wait_for 120 grep -q "^guest: an error after" gone.words || fail "no error: $(cat gone.words)"
grep "the guest hears of an error" /tmp/backend.log | head -n 3
grep -q "vbd $domid/51728: read of .* the guest hears of an error" /tmp/backend.log || fail "the log does not say it"
[ "$(pgrep -f -- "xsplit-backend --worker $domid")" = "$worker" ] || fail "another worker"
guest_end gone 300
! grep -q "system call .* is denied" /tmp/backend.log || fail "a worker made a call that it may not make"
rmdir $device
