#!/bin/bash
# Stock Linux's blkfront on our disks: queues, indirect, discard, flush, resize, and no wrong byte in an ext4.
# lab: --timeout 2400
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

name=protocol

guest_says() { # words
	grep -q "^guest: $1" "/var/log/xen/guest-$name.log"
}

# A line for each queue of a disk: what it answered.
queues() { # vdev
	xsplit block-stat --json "$name" "$1" | tr '{' '\n' | grep '^"read":'
}

blocks_kib() { # file
	du -k "$1" | cut -f1
}

host_start
say "make the initrd and the disks"
cat >$name.script <<-'END'
	#!/bin/bash
	say() { echo "guest: $*"; }
	fail() { say "FAIL: $*"; exit 1; }
	size_is() { # disk sectors
		for _ in $(seq 1800); do
			[ "$(cat /sys/block/$1/size)" = "$2" ] && return
			sleep 0.1
		done
		fail "$1 has $(cat /sys/block/$1/size) sectors, not $2"
	}
	q=/sys/block/xvda/queue
	queues=$(ls /sys/block/xvda/mq | wc -l)
	[ "$queues" = 2 ] || fail "$queues queues"
	say "$queues queues"
	[ "$(cat $q/max_segments)" -gt 11 ] || fail "no indirect requests: $(cat $q/max_segments) segments"
	say "$(cat $q/max_segments) segments a request, $(cat $q/max_sectors_kb) KiB"
	[ "$(cat $q/discard_max_bytes)" -gt 0 ] || fail "no discard"
	[ "$(cat $q/write_cache)" = "write back" ] || fail "no flush: $(cat $q/write_cache)"
	say "discard by $(cat $q/discard_granularity) bytes, cache: $(cat $q/write_cache)"

	# Whole requests of both queues, and both directions of each.
	for cpu in 0 1; do
		taskset $((cpu + 1)) dd if=/dev/zero of=/dev/xvdb bs=1M count=16 oflag=direct conv=fsync 2>/dev/null || fail "dd to xvdb"
		taskset $((cpu + 1)) dd if=/dev/xvdb of=/dev/null bs=1M count=16 iflag=direct 2>/dev/null || fail "dd from xvdb"
	done

	# An ext4 with barriers and discards, under fio.
	mount -t ext4 -o barrier=1,discard /dev/xvda /mnt || fail "no mount"
	fio --name=v --directory=/mnt --numjobs=2 --rw=randrw --bsrange=4k-256k --size=16M --iodepth=8 --ioengine=libaio --direct=1 \
		--fsync=32 --verify=crc32c --verify_fatal=1 --do_verify=1 --time_based --runtime=15 --group_reporting >/tmp/fio || {
		cat /tmp/fio
		fail "fio verify"
	}
	say "fio verify ok"
	rm /mnt/v.*
	fstrim -v /mnt >/tmp/trim || fail "fstrim: $(cat /tmp/trim)"
	say "$(cat /tmp/trim)"
	umount /mnt && e2fsck -fn /dev/xvda >/tmp/fsck 2>&1 || fail "e2fsck: $(cat /tmp/fsck)"
	say "e2fsck clean"

	# Random bytes, and given back.
	dd if=/dev/urandom of=/dev/xvdb bs=1M count=32 oflag=direct conv=fsync 2>/dev/null || fail "dd random"
	say "filled"
	blkdiscard /dev/xvdb || fail "blkdiscard"
	dd if=/dev/xvdb bs=1M count=32 iflag=direct 2>/dev/null | cmp -n 33554432 - /dev/zero || fail "discarded and not zero"
	say "discarded"

	# Grown while in use, to the last byte.
	dd if=/dev/urandom of=/dev/xvdb bs=1M count=4 oflag=direct 2>/dev/null
	before=$(dd if=/dev/xvdb bs=1M count=32 iflag=direct 2>/dev/null | md5sum)
	say "ready to grow"
	size_is xvdb 98304
	[ "$(dd if=/dev/xvdb bs=1M count=32 iflag=direct 2>/dev/null | md5sum)" = "$before" ] || fail "growing changed data"
	dd if=/dev/urandom of=/tmp/end bs=1M count=16 2>/dev/null
	dd if=/tmp/end of=/dev/xvdb bs=1M seek=32 oflag=direct 2>/dev/null || fail "no write beyond the old end"
	dd if=/dev/xvdb bs=1M skip=32 iflag=direct 2>/dev/null | cmp - /tmp/end || fail "the new end reads differently"
	say "grown"
	size_is xvdb 131072 # by itself
	say "grown again"
END
lab-guest --script $name.script --with fio -o $name.initrd || fail "lab-guest"
guest_write $name pv vcpus=2
truncate -s 96M $name-ext4.img && mke2fs -qF -t ext4 $name-ext4.img
truncate -s 32M $name-raw.img
guest_create $name

wait_for 300 guest_says filled || fail "the guest does not get to its discard"
say "queues of xvda: $(queues xvda | tr '\n' ' ')"
say "queues of xvdb: $(queues xvdb | tr '\n' ' ')"
for disk in xvda xvdb; do
	[ "$(queues $disk | wc -l)" = 2 ] || fail "$disk has not two queues"
done
[ "$(queues xvdb | grep -c '"read":[1-9].*"write":[1-9]')" = 2 ] || fail "a queue of xvdb had nothing to do"
queues xvda | grep -q '"flush":[1-9]' || fail "no flush"
queues xvda | grep -q '"discard":[1-9]' || fail "no discard"

wait_for 180 guest_says discarded || fail "the guest does not get to its resize"
say "xvdb's file after blkdiscard: $(blocks_kib $name-raw.img) KiB"
[ "$(blocks_kib $name-raw.img)" -le 8192 ] || fail "discarded, and the file still has $(blocks_kib $name-raw.img) KiB"
wait_for 180 guest_says "ready to grow" || fail "the guest does not get to its resize"
say "resized: $(xsplit block-resize $name xvdb 48M)"
wait_for 180 guest_says grown || fail "the guest does not see its new size"
truncate -s 64M $name-raw.img
xsplit block-stat
guest_end $name 300
guest_says "grown again" || fail "a file that grew was not noticed"
say "xvda's file after fstrim: $(blocks_kib $name-ext4.img) KiB"
no_kernel_backend
