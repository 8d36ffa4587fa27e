#!/bin/bash
# An HVM guest whose kernel starts another (kexec): it goes on in its memory, its devices and its console are new.
# lab: --timeout 2400 --dom0-memory 1200
# files: tests/bin/kexec
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

ROUNDS=3 # kernels in all

host_start
say "the next kernel and its initrd, on a disk of their own"
machine_script turn.script xvda
cat >>turn.script <<-END
	round=\$(sed -n 's/.*round=\([0-9]\).*/\1/p' /proc/cmdline)
	round=\${round:-1}
	[ "\$round" = 1 ] || [ "\$(dd if=/dev/xvda bs=64k skip=1520 count=1 2>/dev/null | head -c 5)" = "turn\$((round - 1))" ] ||
		fail "what the kernel before wrote is not there"
	printf "turn\$round" | dd of=/dev/xvda bs=64k seek=1520 conv=fsync 2>/dev/null
	say "kernel \$round"
	if [ "\$round" -lt $ROUNDS ]; then
		dd if=/dev/xvdb of=/tmp/sizes bs=512 count=1 2>/dev/null
		kernel=\$(cut -d' ' -f1 /tmp/sizes) initrd=\$(cut -d' ' -f2 /tmp/sizes)
		dd if=/dev/xvdb bs=1M skip=1 count=31 2>/dev/null | head -c "\$kernel" >/tmp/vmlinuz
		dd if=/dev/xvdb bs=1M skip=32 2>/dev/null | head -c "\$initrd" >/tmp/initrd
		/kexec /tmp/vmlinuz /tmp/initrd "console=ttyS0 quiet round=\$((round + 1))" || fail "kexec"
	fi
END
lab-guest --script turn.script --file kexec -o next.initrd || fail "lab-guest"
truncate -s 96M next.img
echo "$(stat -c %s /lab/guest/vmlinuz) $(stat -c %s next.initrd) " | dd of=next.img conv=notrunc 2>/dev/null
dd if=/lab/guest/vmlinuz of=next.img bs=1M seek=1 conv=notrunc 2>/dev/null
dd if=next.initrd of=next.img bs=1M seek=32 conv=notrunc 2>/dev/null

say "one that starts $ROUNDS kernels"
machine_files=(--file kexec)
machine_write turn "console=ttyS0"
sed -i 's|^disk=.*|disk=["vdev=sda,target=turn.img","vdev=sdb,target=next.img"]|' turn.cfg
xsplit create turn.cfg || fail "create: $(cat /run/xsplit/*.log)"
domid=$(xsplit domid turn)
tty=$(xenstore-read "/local/domain/$domid/console/tty")
wait_for 900 grep -E "guest: (kernel 2|exit)" /tmp/turn.serial || true
grep "guest: kernel 2" /tmp/turn.serial ||
	fail "no second kernel: $(grep -a guest: /tmp/turn.serial) $(tail -n 30 /tmp/turn.serial)"
[ "$(xsplit domid turn)" = "$domid" ] || fail "it is another domain: $(xl list)"
[ "$(xl domid turn)" = "$domid" ] || fail "to xl it is another domain: $(xl list)"
[ "$(xenstore-read "/local/domain/$domid/console/tty")" = "$tty" ] || fail "its console is another"
machine_end turn 900
grep -c "resetting its interfaces" /tmp/xsplitd.log | grep -qx $((ROUNDS - 1)) || fail "the daemon says: $(cat /tmp/xsplitd.log)"
! grep "no soft reset" /tmp/xsplitd.log || fail "a reset failed"

say "whoever resets it is killed half way"
xsplit create turn.cfg || fail "create"
domid=$(xsplit domid turn)
# At once: the whole of it may take two seconds.
timeout 900 grep -qm 1 "domain $domid (turn): ended (soft-reset)" < <(tail -n +1 -f /tmp/xsplitd.log) || fail "no soft reset is asked for"
# The daemon, and who works for it.
for pid in $(pgrep -f '(^|/)xsplitd( |$)'); do
	kill -9 "$pid"
done
xsplitd >>/tmp/xsplitd.log 2>&1 &
wait_for 120 grep "domain $domid (turn): restarted as domain $((domid + 1))" /tmp/xsplitd.log || fail "not restarted: $(cat /tmp/xsplitd.log)"
grep "its restart was cut short" /tmp/xsplitd.log || fail "nobody was killed half way: $(cat /tmp/xsplitd.log)"
xsplit destroy turn || fail "destroy"

xsplit doctor || fail "xsplit doctor is not content"
left=$(xenstore-ls -f | grep -E "^/(local/domain/[1-9]|local/domain/0/(backend|device-model)/.|libxl/[1-9]|vm/[^0]|tool/xsplit/domain/.)" || true)
[ -z "$left" ] || fail "nodes left: $left"
no_kernel_backend
