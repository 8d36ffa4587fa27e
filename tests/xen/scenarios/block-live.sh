#!/bin/bash
# A disk changed under stock Linux: limited, paused, another image, under fio verify; a CD-ROM inserted and ejected.
# And a block device that goes away under its disk: errors for that one, nothing for the others.
# lab: --timeout 2400
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

name=live

guest_says() { # words
	grep -q "^guest: $1" "/var/log/xen/guest-$name.log"
}

# Operations a second of xvdb, over six seconds.
rate() {
	timeout 14 xsplit block-stat --watch=6 $name xvdb >rate.txt
	awk '$2 == "xvdb" { r = $4 + $5 } END { printf "%d\n", r }' rate.txt
}

runs() {
	now=$(rate)
	[ "$now" -gt 15 ]
}

disc_make() { # file size words
	mkdir -p disc.d && echo "$3" >disc.d/label
	rm -f "$1" && truncate -s "$2" "$1" && mke2fs -q -t ext4 -O ^has_journal -d disc.d "$1"
}

host_start
say "make the initrd, the disks and the discs"
cat >$name.script <<-'END'
	#!/bin/bash
	say() { echo "guest: $*"; }
	fail() { say "FAIL: $*"; dmesg | tail -20; exit 1; }
	size_is() { # disk sectors
		for _ in $(seq 3000); do
			[ "$(cat /sys/block/$1/size)" = "$2" ] && return
			sleep 0.1
		done
		fail "$1 has $(cat /sys/block/$1/size) sectors, not $2"
	}
	[ "$(cat /sys/block/xvdc/size)" = 0 ] || fail "the drive is not empty at first"
	[ -z "$(dd if=/dev/xvdc bs=512 count=1 2>/dev/null)" ] || fail "an empty drive reads"
	say "drive empty"

	# Until the first disc is there.
	say "fio runs"
	while [ "$(cat /sys/block/xvdc/size)" = 0 ]; do
		fio --name=v --filename=/dev/xvdb --rw=randrw --bs=4k --size=8M --iodepth=16 --ioengine=libaio --direct=1 \
			--verify=crc32c --verify_backlog=64 --verify_fatal=1 --time_based --runtime=10 >/tmp/fio || { cat /tmp/fio; fail "fio"; }
	done
	say "fio ok"
	dmesg | grep -iE 'error|blocked for more' | grep xvd && fail "the kernel saw an error"

	size_is xvdc 8192
	mount -t ext4 -o ro /dev/xvdc /mnt || fail "the first disc does not mount"
	say "disc: $(cat /mnt/label)"
	umount /mnt
	say "ready for another"
	size_is xvdc 16384
	mount -t ext4 -o ro /dev/xvdc /mnt || fail "the second disc does not mount"
	say "disc: $(cat /mnt/label)"
	umount /mnt
	say "ready to eject"
	size_is xvdc 0
	mount -t ext4 -o ro /dev/xvdc /mnt 2>/dev/null && fail "an ejected disc mounts"
	say "ejected"

	reads() {
		dd if=/dev/$1 of=/dev/null bs=4k count=16 iflag=direct 2>/dev/null
	}
	reads xvdd || fail "no fourth disk"
	say "ready to lose a disk"
	for _ in $(seq 3000); do
		reads xvdd || break
		sleep 0.1
	done
	reads xvdd && fail "a disk that is gone reads"
	reads xvdb || fail "another disk went along"
	say "lost"
END
lab-guest --script $name.script --with fio -o $name.initrd || fail "lab-guest"
guest_write $name pv vcpus=2
modprobe null_blk nr_devices=0 && { mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config; }
lost=/sys/kernel/config/nullb/lost
if ! { mkdir $lost && echo 64 >$lost/size && echo 1 >$lost/memory_backed && echo 1 >$lost/power; }; then
	fail "no null_blk device"
fi
# Newer kernels call the device as its folder.
device=/dev/lost
[ -b $device ] || device=/dev/nullb$(cat $lost/index)
sed -i "s|^\(\t*disk=.*\)\]$|\1, \"vdev=xvdc,devtype=cdrom,target=\", \"vdev=xvdd,target=$device\"]|" $name.cfg
grep -q xvdc $name.cfg || fail "no drive in the config: $(cat $name.cfg)"
disc_make one.img 4M "the first"
disc_make two.img 8M "the second"
guest_create $name
wait_for 300 guest_says "fio runs" || fail "the guest does not start its fio"

say "limited, paused, switched under fio verify"
# As slow as the lab may be: a tenth of what it does without.
wait_for 120 runs || fail "fio does nothing"
limit=$((now / 10 + 1))
xsplit block-qos $name xvdb iops=$limit || fail "block-qos"
limited=$(rate)
say "$now operations a second; limited to $limit: $limited"
if [ "$limited" -gt $((limit * 12 / 10 + 1)) ] || [ "$limited" -eq 0 ]; then
	fail "limited to $limit, and $limited"
fi
xsplit block-qos $name xvdb iops=0 || fail "block-qos off"
faster() {
	unlimited=$(rate)
	[ "$unlimited" -gt $((limit * 2)) ]
}
wait_for 300 faster || fail "not limited any more, and $unlimited"
say "not limited: $unlimited operations a second"
xsplit block-pause $name xvdb || fail "block-pause"
[ "$(rate)" = 0 ] || fail "paused, and it goes on"
xsplit block-dump $name xvdb | head -4
# Nothing reaches the image now: a copy of it is whole, and the guest goes on there.
cp $name-raw.img copy.img
xsplit block-switch $name xvdb copy.img || fail "block-switch"
xsplit block-resume $name xvdb || fail "block-resume"
wait_for 300 runs || fail "resumed, and it stands still"

xsplit cd-insert $name xvdc nothing.img 2>err && fail "a disc that is not there"
say "$(cat err)"
xsplit cd-insert $name xvdc one.img || fail "cd-insert"
wait_for 300 guest_says "fio ok" || fail "fio verify did not end well"
wait_for 180 guest_says "ready for another" || fail "the first disc"
xsplit cd-insert $name xvdc two.img || fail "cd-insert over a disc"
wait_for 180 guest_says "ready to eject" || fail "the second disc"
xsplit cd-eject $name xvdc || fail "cd-eject"
wait_for 180 guest_says "ready to lose" || fail "the guest does not get to its fourth disk"
echo 0 >$lost/power
guest_end $name 300
for words in "disc: the first" "disc: the second" ejected lost; do
	guest_says "$words" || fail "not said: $words"
done
grep -qE "vbd 1/51760: read of .*: (Input/output error|No such device)" /tmp/backend.log || fail "the log does not say what went away"
no_kernel_backend
