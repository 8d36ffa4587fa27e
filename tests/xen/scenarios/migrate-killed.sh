#!/bin/bash
# Either side of a PVH or PV guest's migration is killed at random moments: it lives exactly once, data right, TCP connection open.
# lab: --timeout 2400 --dom0-memory 1400 --memory 3584
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# alone NAME: nobody works on it, and it is the only one, running under its own name.
alone() {
	[ "$(xl list | tail -n +3 | awk -v name="$1" '{ print $1 == name && $5 !~ /[psc]/ }')" = 1 ] &&
		! xenstore-exists "/tool/xsplit/domain/$(xsplit domid "$1")/busy"
}

# settled NAME: the same, once it was asked after when the sender left it open.
settled() {
	local domid
	for domid in $(xenstore-list /tool/xsplit/domain); do
		[ "$(xenstore-read "/tool/xsplit/domain/$domid/migrating" 2>/dev/null)" = go ] || continue
		xenstore-exists "/tool/xsplit/domain/$domid/busy" && continue
		echo "domain $domid is to be settled"
		xsplit migrate --settle -s "" "$domid" "xsplit migrate-receive"
	done >>settled.log 2>&1
	alone "$1"
}

# moment MILLISECONDS: wait for a random part of them.
moment() {
	local ms=$((RANDOM * $1 / 32768))
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	after="$ms ms"
}

# phase DOMID: how far its migration is.
phase() {
	xenstore-read "/tool/xsplit/domain/$1/migrating" 2>/dev/null
}

# handed_over DOMID: wait until its disks are being handed over; a migration that is over is no reason to wait.
handed_over() {
	until case $(phase "$1") in devices | go) ;; *) ! kill -0 "$sender" 2>/dev/null ;; esac do
		sleep 0.05
	done
}

receiver() {
	victim=$(pgrep -fx 'xsplit migrate-receive')
}

# killed NAME sender|receiver anywhere|handing-over|late: a round of it.
killed() {
	local domid sender victim at
	domid=$(xsplit domid "$1")
	xsplit migrate -s "" "$1" "xsplit migrate-receive" >migrate.log 2>&1 &
	sender=$!
	victim=$sender
	[ "$2" = sender ] || wait_for 60 receiver || fail "no receiver: $(cat migrate.log)"
	case $3 in
	anywhere) moment "$took" ;;
	handing-over)
		handed_over "$domid"
		moment 300
		;;
	late)
		handed_over "$domid"
		moment 3000
		;;
	esac
	# shellcheck disable=SC2086
	kill -9 $victim 2>/dev/null
	at=$(phase "$domid")
	wait $sender
	wait_for 120 settled "$1" || fail "$1 does not live exactly once: $(cat migrate.log settled.log)"
	echo "$2 killed $after into it ($3), phase ${at:-over}: domain $domid is $(xsplit domid "$1"), $(tail -n 1 migrate.log)"
	busy_goes_on "$1"
}

host_start
busy_script busy.script
for type in pvh pv; do
	say "$type"
	lab-guest --script busy.script -o "$type.initrd" || fail "lab-guest"
	guest_write "$type" "$type" "memory=160"
	busy_start "$type"
	before=$(date +%s%3N)
	xsplit migrate -s "" "$type" "xsplit migrate-receive" || fail "migrate"
	took=$(($(date +%s%3N) - before))
	for side in sender receiver; do
		killed "$type" "$side" anywhere
		killed "$type" "$side" handing-over
		killed "$type" "$side" handing-over
		killed "$type" "$side" late
	done
	busy_end "$type"
done
cat settled.log 2>/dev/null
