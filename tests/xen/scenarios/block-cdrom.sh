#!/bin/bash
# A stock Debian guest whose CD-ROM drive is empty, gets a disc, another one, and is empty again.
# lab: --timeout 600
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

cdrom_script() {
	cat >"$1" <<-'END'
		#!/bin/sh
		say() { echo "guest: $*"; }
		fail() { say "FAIL: $*"; dmesg | tail -n 20; exit 1; }
		sectors() { cat /sys/block/xvdb/size; }
		until_sectors() {
			tries=0
			until [ "$(sectors)" = "$1" ]; do
				tries=$((tries + 1))
				[ $tries -lt 300 ] || fail "the drive has $(sectors) sectors, not $1"
				sleep 0.2
			done
		}
		disc() { # sectors: its words
			until_sectors $1
			mount -t ext4 -o ro,noload /dev/xvdb /mnt || fail "no mount"
			say "disc of $1 sectors: $(cat /mnt/words)"
			(cd /mnt && md5sum -c sum >/dev/null) || fail "the disc reads differently"
			umount /mnt || fail "no umount"
		}
		[ "$(cat /sys/block/xvdb/ro)" = 1 ] || fail "the drive is not read-only"
		until_sectors 0
		say "empty"
		dd if=/dev/xvdb of=/dev/null bs=2048 count=1 iflag=direct 2>/dev/null | grep -q . && fail "an empty drive was read"
		disc 16384
		disc 24576
		until_sectors 0
		say "empty again"
	END
}

disc_make() { # name MiB
	mkdir "$1"
	echo "$1" >"$1/words"
	dd if=/dev/urandom of="$1/data" bs=64k count=40 2>/dev/null
	(cd "$1" && md5sum data words >sum)
	truncate -s "$2M" "$1.img"
	mke2fs -q -t ext4 -O ^has_journal -d "$1" "$1.img" || fail "mke2fs"
}

said() {
	wait_for 120 grep "guest: $1" cdrom.words || fail "it did not say $1: $(cat cdrom.words)"
}

host_start
cdrom_script cdrom.script
lab-guest --script cdrom.script -o cdrom.initrd || fail "lab-guest"
truncate -s 8M cdrom-ext4.img && mke2fs -q -t ext4 cdrom-ext4.img
disc_make first 8
disc_make second 12
cat >cdrom.cfg <<-END
	name="cdrom"
	type="pv"
	kernel="/lab/guest/vmlinuz"
	ramdisk="cdrom.initrd"
	extra="console=hvc0 quiet"
	memory=384
	disk=["vdev=xvda,target=cdrom-ext4.img", "vdev=xvdb,devtype=cdrom,target="]
END
guest_create cdrom
said "empty"
xsplit cd-insert cdrom xvdb first.img || fail "no first disc"
said "disc of 16384 sectors: first"
xsplit cd-insert cdrom xvdb second.img || fail "no second disc"
said "disc of 24576 sectors: second"
xsplit cd-eject cdrom xvdb || fail "not ejected"
guest_end cdrom 120
