#!/bin/bash
# Saved, restored, checkpointed, migrated to its own host: data right, TCP connection open; a failed save leaves it.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
busy_script busy.script
for type in pv pvh; do
	say "$type: save and restore"
	lab-guest --script busy.script -o "$type.initrd" || fail "lab-guest"
	guest_write "$type" "$type" "memory=192"
	busy_start "$type"
	first=$(xsplit domid "$type")
	xsplit save "$type" "$type.save" || fail "save"
	gone "$type" || fail "it is still there"
	[ "$(head -c 27 "$type.save")" = "Xen saved domain, xl format" ] || fail "not xl's form"
	xsplit restore "$type.save" || fail "restore"
	[ "$(xsplit domid "$type")" != "$first" ] || fail "the same domain"
	busy_goes_on "$type"

	say "$type: a checkpoint"
	xsplit save -c "$type" "$type.checkpoint" || fail "save -c"
	busy_goes_on "$type"
	! xsplit restore "$type.checkpoint" 2>error || fail "restored beside itself"
	grep -q "is domain" error || fail "$(cat error)"

	say "$type: a save and a restore that fail"
	mkdir -p small && mount -t tmpfs -o size=16m tmpfs small
	! xsplit save "$type" "small/$type.save" 2>error || fail "saved to a disk that is too small"
	cat error
	[ -z "$(ls small)" ] || fail "a part stays"
	umount small
	busy_goes_on "$type"
	say "$type: migrate to this host"
	second=$(xsplit domid "$type")
	xsplit migrate -s "" "$type" "xsplit migrate-receive" || fail "migrate"
	[ "$(xsplit domid "$type")" != "$second" ] || fail "not migrated"
	busy_goes_on "$type"
	xl list
	busy_end "$type"

	say "$type: half a file"
	head -c 20000000 "$type.save" >cut.save
	nodes=$(xenstore-ls -f / | grep -c .)
	! xsplit restore cut.save 2>error || fail "half a file restored"
	cat error
	[ "$(xenstore-ls -f / | grep -c .)" = "$nodes" ] || fail "it leaves nodes"
	[ "$(xl list | wc -l)" = 2 ] || fail "it leaves a domain: $(xl list)"
	rm -f "$type.save" "$type.checkpoint"
done
no_kernel_backend
