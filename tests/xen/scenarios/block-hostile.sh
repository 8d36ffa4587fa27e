#!/bin/bash
# A guest that writes garbage into its ring, nodes and states while another runs fio verify: the other notices nothing.
# The hostile one is a stock kernel with a block frontend of ours in user space (gntalloc, evtchn, xenbus).
# files: tests/bin/block-frontend
# lab: --timeout 2400
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

cases="connect rings kexec toggle bad-nodes bad-requests overflow storm state-storm garbage states"

neighbour_script() {
	cat >"$1" <<-'END'
		#!/bin/sh
		say() { echo "guest: $*"; }
		stopped() { dd if=/dev/xvdb bs=4096 count=1 iflag=direct 2>/dev/null | grep -q stop; }
		say "running"
		runs=0
		until stopped; do
			runs=$((runs + 1))
			fio --name=v --filename=/dev/xvda --direct=1 --rw=randwrite --bsrange=4k-64k --size=8M --iodepth=8 --ioengine=libaio \
				--verify=crc32c --verify_fatal=1 --verify_backlog=64 --randseed=$runs >/tmp/fio || { cat /tmp/fio; exit 1; }
		done
		dmesg | grep -iE 'error|hung|blk_update' && exit 1
		say "fio: $runs runs, no error"
	END
}

puppet_make() {
	cat >puppet.script <<-END
		#!/bin/sh
		say() { echo "guest: \$*"; }
		for vbd in /sys/bus/xen/drivers/vbd/vbd-*; do
			echo "\${vbd##*/}" >/sys/bus/xen/drivers/vbd/unbind
		done
		for case in $cases; do
			/block-frontend \$case >/tmp/out 2>&1 || { say "\$case: \$(cat /tmp/out)"; exit 1; }
			say "\$(cat /tmp/out)"
		done
	END
	lab-guest --script puppet.script --program block-frontend --module xen-gntalloc --module xen-evtchn -o puppet.initrd ||
		fail "lab-guest"
}

config_write() { # name disks
	cat >"$1.cfg" <<-END
		name="$1"
		type="pv"
		kernel="/lab/guest/vmlinuz"
		ramdisk="$1.initrd"
		extra="console=hvc0 quiet"
		memory=512
		disk=[$2]
	END
}

neighbour_worker() {
	pgrep -f "xsplit-backend --worker $neighbour\$"
}

host_start
neighbour_script neighbour.script
lab-guest --script neighbour.script --with fio -o neighbour.initrd || fail "lab-guest"
puppet_make
truncate -s 8M neighbour.img && truncate -s 1M stop.img && truncate -s 32M puppet.img
config_write neighbour '"vdev=xvda,target=neighbour.img", "vdev=xvdb,target=stop.img"'
config_write puppet '"vdev=xvda,target=puppet.img"'
guest_create neighbour
wait_for 600 grep 'guest: running' neighbour.words || fail "the neighbour did not run: $(cat neighbour.words)"
neighbour=$(xsplit domid neighbour)
worker=$(neighbour_worker)
guest_create puppet
puppet=$(xsplit domid puppet)
wait_for 1500 gone puppet || fail "the hostile guest did not end: $(cat puppet.words)"
tr -d '\r' <puppet.words | grep '^guest: '
for case in $cases; do
	grep -q "^guest: ok $case" puppet.words || fail "case $case did not pass"
done
[ "$(neighbour_worker)" = "$worker" ] || fail "the neighbour's worker is another"
grep -q "vbd $puppet/51712: the request producer index is not within" /tmp/backend.log || fail "no ring was stopped"
printf stop | dd of=stop.img conv=notrunc,fsync 2>/dev/null
wait_for 600 gone neighbour || fail "the neighbour did not end"
tr -d '\r' <neighbour.words | grep '^guest: '
grep -q '^guest: exit 0' neighbour.words || fail "the neighbour noticed: $(cat neighbour.words)"
[ -z "$(ls /run/xsplit/inflight)" ] || fail "an in-flight log is left"
