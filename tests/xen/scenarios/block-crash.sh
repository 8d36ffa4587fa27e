#!/bin/bash
# A stock Debian guest under fio verify and ext4 does not notice that the backend's worker is killed a hundred times.
# And that the backend starts anew (SIGHUP), and is killed and started again, ten times each.
# lab: --timeout 2400
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# crash_script FILE: verify on a raw disk and on ext4 until the third disk says stop; the longest request's time.
crash_script() {
	cat >"$1" <<-'END'
		#!/bin/sh
		say() { echo "guest: $*"; }
		fail() { say "FAIL: $*"; dmesg | tail -n 20; exit 1; }
		stopped() { dd if=/dev/xvdc bs=4096 count=1 iflag=direct 2>/dev/null | grep -q stop; }
		mount -t ext4 /dev/xvdb /mnt || fail "no mount"
		(
			n=0
			until stopped; do
				n=$((n + 1))
				dd if=/dev/urandom of=/mnt/file$((n % 4)) bs=64k count=16 conv=fsync 2>/dev/null || exit 1
				before=$(md5sum </mnt/file$((n % 4)))
				echo 1 >/proc/sys/vm/drop_caches
				[ "$(md5sum </mnt/file$((n % 4)))" = "$before" ] || exit 2
			done
			say "ext4: $n files written and read back"
		) &
		files=$!
		runs=0 longest=0
		say "running"
		until stopped; do
			runs=$((runs + 1))
			fio --name=v --filename=/dev/xvda --direct=1 --rw=randwrite --bsrange=4k-128k --size=32M --iodepth=16 \
				--ioengine=libaio --verify=crc32c --verify_fatal=1 --verify_backlog=128 --randseed=$runs \
				>/tmp/fio || { cat /tmp/fio; fail "fio, run $runs"; }
			ms=$(awk '/ lat \(/ { unit = $2; sub(/.*max= */, ""); sub(/,.*/, "")
				k = unit ~ /nsec/ ? 1e-6 : unit ~ /usec/ ? 1e-3 : 1
				s = $0 ~ /k/ ? 1000 : 1; sub(/k/, "")
				if ($0 * k * s > most) most = $0 * k * s } END { printf "%d", most + 1 }' /tmp/fio)
			[ "$ms" -gt "$longest" ] && longest=$ms
		done
		wait $files || fail "ext4: status $?"
		umount /mnt || fail "no umount"
		dmesg | grep -iE 'error|hung|blk_update|EXT4-fs \(.*\): (err|warn)' && fail "the kernel noticed"
		say "fio: $runs runs, no error; the longest request took $longest ms"
	END
}

supervisor() {
	pgrep -f '^([^ ]*/)?xsplit-backend$'
}

worker_kill() {
	local worker
	worker=$(pgrep -f "xsplit-backend --worker") || return 1
	# shellcheck disable=SC2086
	kill -9 $worker
}

# rounds COUNT PAUSE WORDS COMMAND...
rounds() {
	local count=$1 pause=$2 words=$3 n=0
	shift 3
	while [ "$n" -lt "$count" ]; do
		sleep "$pause"
		"$@" 2>/dev/null && n=$((n + 1))
		kill -0 "$create" 2>/dev/null || fail "the guest ended: $(tail -n 30 crash.words)"
	done
	say "$count times $words"
}

start() {
	xsplit-backend >>/tmp/backend.log 2>&1 &
}

crash() {
	pgrep -f "xsplit-backend --worker" >/dev/null || return 1
	kill -9 "$(supervisor)" && wait_for 20 pgrep_none && start
}

pgrep_none() {
	! supervisor
}

reload() {
	pgrep -f "xsplit-backend --worker" >/dev/null && kill -HUP "$(supervisor)"
}

host_start
crash_script crash.script
lab-guest --script crash.script --with fio -o crash.initrd || fail "lab-guest"
truncate -s 32M crash-raw.img
truncate -s 48M crash-ext4.img && mke2fs -q -t ext4 crash-ext4.img
truncate -s 1M crash-stop.img
cat >crash.cfg <<-END
	name="crash"
	type="pv"
	kernel="/lab/guest/vmlinuz"
	ramdisk="crash.initrd"
	extra="console=hvc0 quiet"
	memory=384
	disk=["vdev=xvda,target=crash-raw.img", "vdev=xvdb,target=crash-ext4.img", "vdev=xvdc,target=crash-stop.img"]
END
guest_create crash
create=$!
wait_for 600 grep 'guest: running' crash.words || fail "it did not run: $(cat crash.words)"
domid=$(xsplit domid crash)
rounds 100 0.3 "kill -9 of its worker" worker_kill
rounds 10 2 "SIGHUP to the backend" reload
rounds 10 2 "kill -9 of the backend" crash
for disk in 51712 51728 51744; do
	[ "$(xenstore-read "/local/domain/0/backend/vbd/$domid/$disk/state")" = 4 ] || fail "disk $disk changed its state"
done
[ -z "$(xenstore-ls error 2>/dev/null)" ] || fail "an error node"
printf stop | dd of=crash-stop.img conv=notrunc,fsync 2>/dev/null
guest_end crash 300
[ -z "$(ls /run/xsplit/inflight)" ] || fail "an in-flight log is left"
