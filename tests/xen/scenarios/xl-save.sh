#!/bin/bash
# Guests of ours that xl lists with their config, resizes, saves and restores: data right, TCP connection open.
# lab: --timeout 1500 --dom0-memory 1400 --memory 3584
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

config() { # line of what xl prints
	xl list -l "$type" >whole || fail "xl list -l"
	xsplit list -l "$type" >ours || fail "xsplit list -l"
	[ "$(<whole)" = "$(<ours)" ] || fail "xl and xsplit list -l: $(cat whole ours)"
	grep -q "$1" whole || fail "$1 is not what xl knows: $(cat whole)"
}

forgotten() {
	! xenstore-exists "/tool/xsplit/domain/$domid"
}

host_start
busy_script busy.script
for type in pvh pv; do
	say "$type: listed and resized"
	lab-guest --script busy.script -o "$type.initrd" || fail "lab-guest"
	guest_write "$type" "$type" "memory=192"
	busy_start "$type"
	domid=$(xsplit domid "$type")
	config "\"name\": \"$type\""
	config '"target_memkb": 196608'
	config '"vdev": "xvdb"'
	xl mem-set "$type" 160 || fail "xl mem-set"
	config '"target_memkb": 163840'

	say "$type: a checkpoint"
	xl save -c "$type" "$type.save" || fail "xl save -c"
	busy_goes_on "$type"

	say "$type: saved"
	xl save "$type" "$type.save" || fail "xl save"
	gone "$type" || fail "it is still there"
	wait_for 60 forgotten || fail "xsplitd keeps what it had: $(xenstore-ls -f /tool/xsplit)"
	xsplit doctor || fail "the doctor is not content"

	say "$type: restored"
	xl restore "$type.save" || fail "xl restore"
	busy_goes_on "$type"
	rm "$type.save"
	say "$type: ended"
	busy_end "$type"
	xsplit doctor || fail "the doctor is not content at the end"
done

say "a checkpoint, then its end, which is ours to see to"
guest_write pvh pvh "memory=192"
busy_start pvh
domid=$(xsplit domid pvh)
xl save -c pvh pvh.save || fail "xl save -c"
busy_goes_on pvh
busy_end pvh
wait_for 60 forgotten || fail "xsplitd leaves it: $(xenstore-ls -f /tool/xsplit)"
xsplit doctor || fail "the doctor is not content after a checkpoint"
no_kernel_backend
