#!/bin/bash
# Saved, restored, checkpointed, migrated to its own host, its saver killed: data right, TCP connection open.
# lab: --timeout 1500 --dom0-memory 1400 --memory 3584
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

part_written() {
	[ "$(stat -c %s "$1.part" 2>/dev/null || echo 0)" -gt 10000000 ]
}

idle() {
	! xenstore-exists "/tool/xsplit/domain/$(xsplit domid "$1")/busy"
}

host_start
busy_script busy.script
for type in pvh pv; do
	say "$type: save and restore"
	lab-guest --script busy.script -o "$type.initrd" || fail "lab-guest"
	guest_write "$type" "$type" "memory=192"
	busy_start "$type"
	first=$(xsplit domid "$type")
	xsplit save "$type" "$type.save" || fail "save"
	gone "$type" || fail "it is still there"
	[ "$(head -c 27 "$type.save")" = "Xen saved domain, xl format" ] || fail "not xl's form"
	head -c 20000000 "$type.save" >cut.save
	nodes=$(xenstore-ls -f / | grep -c .)
	! xsplit restore cut.save 2>error || fail "half a file restored"
	cat error
	[ "$(xenstore-ls -f / | grep -c .)" = "$nodes" ] || fail "it leaves nodes"
	[ "$(xl list | wc -l)" = 2 ] || fail "it leaves a domain: $(xl list)"
	rm cut.save
	xsplit restore "$type.save" || fail "restore"
	[ "$(xsplit domid "$type")" != "$first" ] || fail "the same domain"
	busy_goes_on "$type"
	rm "$type.save"

	say "$type: saved with its number and another config"
	first=$(xsplit domid "$type")
	{ cat "$type.cfg" && echo 'on_crash="preserve"'; } >other.cfg
	xsplit save -D "$type" "$type.save" other.cfg || fail "save -D"
	xsplit restore -d "$type.save" 2>config || fail "restore -d: $(cat config)"
	[ "$(xsplit domid "$type")" = "$first" ] || fail "another number"
	grep '"on_crash": "preserve"' config || fail "not the other config: $(cat config)"
	busy_goes_on "$type"
	rm "$type.save"

	say "$type: a checkpoint"
	xsplit save -c "$type" "$type.checkpoint" || fail "save -c"
	busy_goes_on "$type"
	! xsplit restore "$type.checkpoint" 2>error || fail "restored beside itself"
	grep -q "is domain" error || fail "$(cat error)"
	rm "$type.checkpoint"

	say "$type: a save that fails, and one whose process is killed"
	mkdir -p small && mount -t tmpfs -o size=16m tmpfs small
	! xsplit save "$type" "small/$type.save" 2>error || fail "saved to a disk that is too small"
	cat error
	[ -z "$(ls small)" ] || fail "a part stays"
	umount small
	busy_goes_on "$type"
	xsplit save "$type" "$type.killed" &
	saver=$!
	wait_for 60 part_written "$type.killed" || fail "nothing is written"
	kill -9 $saver
	busy_goes_on "$type"
	wait_for 60 idle "$type" || fail "xsplitd does not take over"
	rm -f "$type".killed*

	say "$type: it suspends itself when its saver has given it up"
	domid=$(xsplit domid "$type")
	xenstore-write "/tool/xsplit/domain/$domid/suspending" "$(cut -d. -f1 /proc/uptime)"
	xenstore-write "/local/domain/$domid/control/shutdown" suspend
	wait_for 60 grep "domain $domid ($type): it suspended itself when nobody waited" /tmp/xsplitd.log || fail "left suspended"
	busy_goes_on "$type"

	say "$type: migrate to this host"
	second=$(xsplit domid "$type")
	xsplit migrate -s "" "$type" "xsplit migrate-receive" || fail "migrate"
	[ "$(xsplit domid "$type")" != "$second" ] || fail "not migrated"
	busy_goes_on "$type"
	! xsplit migrate -s "" "$type" false 2>error || fail "migrated to nowhere"
	cat error
	busy_goes_on "$type"
	xl list
	busy_end "$type"
done
no_kernel_backend
