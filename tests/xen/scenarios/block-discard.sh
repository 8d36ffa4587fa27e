#!/bin/bash
# A stock Debian guest discards on our disks on dom0's blkfront on disks of ours: for good, where nothing zeroes, and aligned.
# lab: --timeout 600
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# mbr FILE SECTOR START COUNT: a partition table there, of one partition.
mbr() {
	local entry='' n
	for n in "$3" "$4"; do
		entry+=$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((n & 255)) $((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24)))
	done
	printf '%b' "\\x00\\x00\\x00\\x00\\x83\\x00\\x00\\x00$entry" | dd of="$1" bs=1 seek=$(($2 * 512 + 446)) conv=notrunc 2>/dev/null
	printf '\x55\xaa' | dd of="$1" bs=1 seek=$(($2 * 512 + 510)) conv=notrunc 2>/dev/null
}

# null_attach VDEV NUMBER: a disk of dom0's without storage, for which no command has a word.
null_attach() {
	local back=/local/domain/0/backend/vbd/0/$2 front=/local/domain/0/device/vbd/$2
	xenstore-write "$back/frontend" "$front" "$back/frontend-id" 0 "$back/online" 1 "$back/params" null:67108864 \
		"$back/mode" w "$back/device-type" disk "$back/dev" "$1" "$back/state" 1 \
		"$front/backend" "$back" "$front/backend-id" 0 "$front/virtual-device" "$2" "$front/device-type" disk "$front/state" 1
}

null_detach() { # NUMBER
	xenstore-write "/local/domain/0/backend/vbd/0/$1/online" 0 "/local/domain/0/backend/vbd/0/$1/state" 5
	wait_for 30 closed "$1" || fail "vbd 0/$1 is not closed"
	xenstore-rm -t "/local/domain/0/device/vbd/$1"
	xenstore-rm -t "/local/domain/0/backend/vbd/0/$1"
}

closed() { # NUMBER
	[ "$(xenstore-read "/local/domain/0/backend/vbd/0/$1/state")" = 6 ]
}

node_is() { # VDEV-NUMBER NODE VALUE
	local value
	value=$(xenstore-read "/local/domain/0/backend/vbd/$domid/$1/$2")
	[ "$value" = "$3" ] || fail "vbd $1: $2 is $value, not $3"
}

host_start
modprobe -a loop xen-blkfront || fail "no modules"
truncate -s 32M under.img parted.img
mbr parted.img 0 63 65000
mbr parted.img 63 8 64000
null_attach xvdo 51936
say "a disk for dom0"
xsplit block-attach 0 vdev=xvdp,target=under.img || fail "dom0 gets no disk"
for disk in xvdo xvdp; do
	wait_for 30 test -b /dev/$disk || fail "dom0 has no $disk"
done
[ "$(cat /sys/block/xvdp/queue/discard_max_bytes)" -gt 0 ] || fail "dom0's xvdp cannot discard"
[ "$(cat /sys/block/xvdp/queue/write_zeroes_max_bytes)" = 0 ] || fail "dom0's xvdp can zero"
dd if=/dev/urandom of=/dev/xvdp bs=1M count=32 oflag=direct conv=fsync 2>/dev/null || fail "no write to dom0's xvdp"
loop=$(losetup -P --show -f parted.img) || fail "losetup"
wait_for 10 test -b "${loop}p1" || fail "no ${loop}p1"

cat >discard.script <<-'END'
	#!/bin/sh
	say() { echo "guest: $*"; }
	fail() { say "FAIL: $*"; exit 1; }
	blkdiscard -s /dev/xvdb || fail "no secure discard"
	say "erased"
	blkdiscard -s /dev/xvdc && fail "a secure discard where there is none"
	blkdiscard -o 1048576 -l 30408704 /dev/xvdc || fail "no discard"
	dd if=/dev/xvdc bs=1M skip=1 count=29 iflag=direct 2>/dev/null | cmp -s -n 30408704 - /dev/zero || fail "discarded and not zero"
	say "discarded"
	# A disk's own file shows another number since Linux 5.19; a partition's shows what is left of the disk's.
	alignment=$(cat /sys/block/xvdd/xvdd1/discard_alignment)
	[ "$alignment" = 512 ] || fail "a discard alignment of $alignment, not 512"
	say "aligned"
END
lab-guest --script discard.script -o discard.initrd || fail "lab-guest"
guest_write discard pv
sed -i "s|, \"vdev=xvdb.*|, \"vdev=xvdb,target=/dev/xvdo\", \"vdev=xvdc,target=/dev/xvdp\", \"vdev=xvdd,target=${loop}p1\"]|" discard.cfg
guest_create discard
domid=$(xsplit domid discard)
node_is 51728 discard-secure 1
node_is 51744 discard-secure 0
node_is 51744 feature-discard 1
node_is 51760 discard-alignment 512
wait_for 300 gone discard || fail "it did not end: $(cat discard.words)"
say "discards of dom0's: $(cat /sys/block/xvdo/stat) and $(cat /sys/block/xvdp/stat)"
# Linux counts what is erased as written.
[ "$(awk '{ print $7 }' /sys/block/xvdo/stat)" = 131072 ] || fail "a secure discard of the whole disk did not reach dom0's"
say "under.img has $(du -k under.img | cut -f1) KiB"
[ "$(du -k under.img | cut -f1)" -le 4096 ] || fail "discarded, and the file has $(du -k under.img | cut -f1) KiB"
! grep -q "system call .* is denied" /tmp/backend.log || fail "a worker made a call that it may not make"
losetup -d "$loop"
xsplit block-detach 0 xvdp || fail "dom0's disk does not go"
null_detach 51936
guest_end discard 30
no_kernel_backend
