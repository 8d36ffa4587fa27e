#!/bin/bash
# An HVM guest, with PV drivers and with emulated devices only: saved, restored, checkpointed, migrated to its own host.
# lab: --timeout 1800 --dom0-memory 1400 --memory 3584
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# moved NAME WORDS LOG: a guest's life with all of it; WORDS are its kernel's, LOG has its console.
moved() {
	local first
	busy_script "$1.script"
	truncate -s 8M "$1-raw.img"
	machine_write "$1" "$2" "memory=256" "disk=[\"vdev=sda,target=$1.img\", \"vdev=sdb,target=$1-raw.img\"]"
	busy_start "$1"
	first=$(xsplit domid "$1")
	say "$1: save and restore"
	xsplit save "$1" "$1.save" || fail "save"
	gone "$1" 2>/dev/null || fail "it is still there"
	xsplit restore "$1.save" || fail "restore"
	[ "$(xsplit domid "$1")" != "$first" ] || fail "the same domain"
	busy_goes_on "$1"
	rm "$1.save"
	say "$1: a checkpoint"
	xsplit save -c "$1" "$1.checkpoint" || fail "save -c"
	busy_goes_on "$1"
	rm "$1.checkpoint"
	say "$1: migrate to this host"
	xsplit migrate -s "" "$1" "xsplit migrate-receive" || fail "migrate"
	busy_goes_on "$1"
	busy_end "$1" "$3"
}

host_start
moved upgraded "console=ttyS0 console=hvc0" /var/log/xen/guest-upgraded.log
moved emulated "xen_nopv console=ttyS0" /tmp/emulated.serial
