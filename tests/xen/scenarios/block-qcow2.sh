#!/bin/bash
# A stock Debian guest on a qcow2 image with a backing file: ext4 and fio verify, while its qemu-nbd is killed.
# lab: --timeout 900
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

qcow_script() {
	cat >"$1" <<-'END'
		#!/bin/sh
		say() { echo "guest: $*"; }
		fail() { say "FAIL: $*"; dmesg | tail -n 20; exit 1; }
		mount -t ext4 /dev/xvda /mnt || fail "no mount"
		(cd /mnt && md5sum -c base.sum) || fail "the backing file's file reads differently"
		say "the backing file's file is there"
		n=0
		while [ $n -lt 3 ]; do
			n=$((n + 1))
			fio --name=v --filename=/dev/xvdb --direct=1 --rw=randwrite --bsrange=4k-128k --size=16M --iodepth=16 --ioengine=libaio \
				--verify=crc32c --verify_fatal=1 --verify_backlog=64 --randseed=$n >/tmp/fio || { cat /tmp/fio; fail "fio, run $n"; }
			dd if=/dev/urandom of=/mnt/mine bs=64k count=64 conv=fsync 2>/dev/null || fail "no write"
			say "run $n"
		done
		md5sum /mnt/mine | sed 's|/mnt/||' >/mnt/mine.sum
		umount /mnt || fail "no umount"
		dmesg | grep -iE 'error|hung|blk_update|EXT4-fs \(.*\): (err|warn)' && fail "the kernel noticed"
		say "fio and ext4: $n runs, no error"
	END
}

# The one that has served for longest.
exporter_kill() {
	local exporter
	exporter=$(pgrep -o qemu-nbd) || return 1
	kill -9 "$exporter"
	killed=$((killed + 1))
}

host_start
qcow_script qcow.script
lab-guest --script qcow.script --with fio -o qcow.initrd || fail "lab-guest"
mkdir base
dd if=/dev/urandom of=base/base bs=64k count=32 2>/dev/null
(cd base && md5sum base >base.sum)
truncate -s 48M base.img && mke2fs -q -t ext4 -d base base.img
before=$(md5sum <base.img)
qemu-img create -q -f qcow2 -b base.img -F raw qcow.qcow2 || fail "qemu-img"
qemu-img create -q -f qcow2 second.qcow2 32M || fail "qemu-img"
cat >qcow.cfg <<-END
	name="qcow"
	type="pv"
	kernel="/lab/guest/vmlinuz"
	ramdisk="qcow.initrd"
	extra="console=hvc0 quiet"
	memory=384
	disk=["format=qcow2,vdev=xvda,target=qcow.qcow2", "format=qcow2,vdev=xvdb,target=second.qcow2"]
END
killed=0
guest_create qcow
wait_for 200 grep 'guest: the backing' qcow.words || fail "it did not run: $(cat qcow.words)"
while ! gone qcow >/dev/null && [ "$killed" -lt 6 ]; do
	sleep 2
	exporter_kill
done
[ "$killed" -gt 0 ] || fail "no qemu-nbd was killed"
wait_for 300 gone qcow || fail "it did not end"
wait_for 20 sh -c '! pgrep qemu-nbd' || fail "a qemu-nbd is left"
say "$killed times kill -9 of a qemu-nbd"
[ "$(md5sum <base.img)" = "$before" ] || fail "the backing file was written"
for image in qcow second; do
	qemu-img check -q "$image.qcow2" || [ $? = 3 ] || fail "$image.qcow2 is damaged" # 3: leaked clusters
done
qemu-img convert -f qcow2 -O raw qcow.qcow2 qcow-ext4.img || fail "qemu-img convert"
guest_end qcow 10
modprobe loop
mkdir mnt
mount -o ro qcow-ext4.img mnt || fail "no mount"
(cd mnt && md5sum -c mine.sum base.sum) || fail "the image does not hold what the guest wrote"
umount mnt
qemu-img info qcow.qcow2 | grep -E 'backing file:|disk size'
