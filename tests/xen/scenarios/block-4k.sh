#!/bin/bash
# A stock Debian guest on a device with sectors of 4096 bytes: it sees 512 and writes single ones of them; or 4096 on demand.
# lab: --timeout 900
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

sectors_script() {
	cat >"$1" <<-'END'
		#!/bin/sh
		say() { echo "guest: $*"; }
		fail() { say "FAIL: $*"; dmesg | tail -n 20; exit 1; }
		sizes() { # disk logical physical
			l=$(cat /sys/block/$1/queue/logical_block_size) p=$(cat /sys/block/$1/queue/physical_block_size)
			say "$1: logical $l, physical $p, $(cat /sys/block/$1/size) times 512 bytes"
			[ "$l/$p" = "$2/$3" ] || fail "$1 has $l/$p, not $2/$3"
		}
		verify() { # disk least
			fio --name=v --filename=/dev/$1 --direct=1 --rw=randwrite --bsrange=$2-64k --ba=$2 --size=8M --iodepth=16 --ioengine=libaio \
				--number_ios=4000 --verify=crc32c --verify_fatal=1 --verify_backlog=64 >/tmp/fio || { cat /tmp/fio; fail "fio on $1"; }
			say "$1: fio verify with requests of $2 and more ok"
		}
		sizes xvda 512 4096
		sizes xvdb 512 4096
		sizes xvdc 4096 4096
		verify xvdb 512
		verify xvdc 4k
		mount -t ext4 /dev/xvda /mnt || fail "no mount"
		dd if=/dev/urandom of=/mnt/file bs=1k count=2000 conv=fsync 2>/dev/null || fail "no write"
		before=$(md5sum </mnt/file)
		umount /mnt && mount -t ext4 /dev/xvda /mnt || fail "no second mount"
		[ "$(md5sum </mnt/file)" = "$before" ] || fail "the file reads back differently"
		umount /mnt || fail "no umount"
		/sbin/mke2fs -q -t ext4 /dev/xvdc && mount -t ext4 /dev/xvdc /mnt && cp /bin/busybox /mnt && umount /mnt || fail "ext4 on sectors of 4096"
		dmesg | grep -iE 'error|blk_update' && fail "the kernel noticed"
		say "ext4 with blocks of 1024 ok"
	END
}

host_start
modprobe loop
sectors_script sectors.script
lab-guest --script sectors.script --with fio -o sectors.initrd || fail "lab-guest"
# On a file system that takes direct I/O; the loop devices do not pass it on.
truncate -s 48M sectors-ext4.img && mke2fs -q -t ext4 -b 1024 sectors-ext4.img
truncate -s 32M raw.img large.img
for name in sectors-ext4 raw large; do
	loop=$(losetup -b 4096 --show -f $name.img) || fail "losetup"
	[ "$(blockdev --getss "$loop")" = 4096 ] || fail "$loop has sectors of $(blockdev --getss "$loop")"
	ln -s "$loop" "$name.dev"
done
cat >sectors.cfg <<-END
	name="sectors"
	type="pv"
	kernel="/lab/guest/vmlinuz"
	ramdisk="sectors.initrd"
	extra="console=hvc0 quiet"
	memory=384
	disk=["vdev=xvda,target=$(readlink sectors-ext4.dev)", "vdev=xvdb,target=$(readlink raw.dev)",
		"vdev=xvdc,sector-size=4096,target=$(readlink large.dev)"]
END
guest_create sectors
wait_for 300 gone sectors || fail "it did not end: $(cat sectors.words)"
for name in sectors-ext4 raw large; do
	loop=$(readlink "$name.dev")
	blockdev --flushbufs "$loop"
	wait_for 10 losetup -d "$loop" || fail "$loop is still in use"
done
sync
! grep -q "O_DIRECT is not possible" /tmp/backend.log || fail "no O_DIRECT on sectors of 4096"
guest_end sectors 10
