#!/bin/bash
# A stock Debian guest on an NBD export over TCP that drops and returns, ten times under fio verify and ext4.
# lab: --timeout 900
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

remote_script() {
	cat >"$1" <<-'END'
		#!/bin/sh
		say() { echo "guest: $*"; }
		fail() { say "FAIL: $*"; dmesg | tail -n 20; exit 1; }
		stopped() { dd if=/dev/xvdc bs=4096 count=1 iflag=direct 2>/dev/null | grep -q stop; }
		mount -t ext4 /dev/xvdb /mnt || fail "no mount"
		runs=0
		say "running"
		until stopped; do
			runs=$((runs + 1))
			fio --name=v --filename=/dev/xvda --direct=1 --rw=randwrite --bsrange=4k-128k --size=16M --iodepth=16 --ioengine=libaio \
				--verify=crc32c --verify_fatal=1 --verify_backlog=64 --randseed=$runs >/tmp/fio || { cat /tmp/fio; fail "fio, run $runs"; }
			dd if=/dev/urandom of=/mnt/file bs=64k count=16 conv=fsync 2>/dev/null || fail "no write"
			before=$(md5sum </mnt/file)
			echo 1 >/proc/sys/vm/drop_caches
			[ "$(md5sum </mnt/file)" = "$before" ] || fail "the file reads back differently"
		done
		umount /mnt || fail "no umount"
		dmesg | grep -iE 'error|blk_update|EXT4-fs \(.*\): (err|warn)' && fail "the kernel noticed"
		say "fio and ext4: $runs runs, no error"
	END
}

serve() {
	rm -f nbdkit.pid
	nbdkit -f -P nbdkit.pid -i 127.0.0.1 file dir=exports >>nbdkit.log 2>&1 &
	wait_for 20 test -s nbdkit.pid || fail "nbdkit: $(cat nbdkit.log)"
}

complaint() {
	xenstore-read "/local/domain/0/error/backend/vbd/$domid/51712/error" 2>/dev/null
}

host_start
remote_script remote.script
lab-guest --script remote.script --with fio -o remote.initrd || fail "lab-guest"
mkdir exports
truncate -s 32M exports/raw
truncate -s 48M exports/ext4 && mke2fs -q -t ext4 exports/ext4
ln -s exports/ext4 remote-ext4.img
truncate -s 1M remote-stop.img
serve
cat >remote.cfg <<-END
	name="remote"
	type="pv"
	kernel="/lab/guest/vmlinuz"
	ramdisk="remote.initrd"
	extra="console=hvc0 quiet"
	memory=384
	disk=["vdev=xvda,target=nbd://127.0.0.1/raw", "vdev=xvdb,target=nbd://127.0.0.1/ext4", "vdev=xvdc,target=remote-stop.img"]
END
guest_create remote
wait_for 200 grep 'guest: running' remote.words || fail "it did not run: $(cat remote.words)"
domid=$(xsplit domid remote)
for n in 1 2 3 4 5 6 7 8 9 10; do
	sleep 2
	kill -9 "$(cat nbdkit.pid)"
	if [ "$n" = 5 ]; then # away for long enough to be reported
		wait_for 30 complaint || fail "nothing says that the server is away"
		complaint
		sleep 10
	fi
	serve
	kill -0 %% 2>/dev/null || fail "nbdkit ended: $(cat nbdkit.log)"
done
say "10 times kill -9 of the server"
wait_for 30 sh -c "! xenstore-exists /local/domain/0/error/backend/vbd/$domid" || fail "an error node is left: $(complaint)"
printf stop | dd of=remote-stop.img conv=notrunc,fsync 2>/dev/null
guest_end remote 300
kill "$(cat nbdkit.pid)"
