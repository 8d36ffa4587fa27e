#!/bin/bash
# Either side of a PV guest's migration is killed at random moments: it lives exactly once, data right, TCP connection open.
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

handing_over() {
	xenstore-ls -f /tool/xsplit/domain | grep -qE '/migrating = "(devices|go)"'
}

# killed NAME sender|receiver anywhere|late: a round of it.
killed() {
	local sender phase victims
	xsplit migrate -s "" "$1" "xsplit migrate-receive" >migrate.log 2>&1 &
	sender=$!
	if [ "$3" = late ]; then
		wait_for 120 handing_over
		moment 3000
	else
		moment "$took"
	fi
	phase=$(xenstore-ls -f /tool/xsplit/domain | sed -n 's/.*migrating = //p')
	victims=$sender
	[ "$2" = sender ] || victims=$(pgrep -fx '(sh -c )?xsplit migrate-receive')
	# shellcheck disable=SC2086
	[ -z "$victims" ] || kill -9 $victims 2>/dev/null
	wait $sender
	wait_for 120 settled "$1" || fail "$1 does not live exactly once: $(cat migrate.log settled.log)"
	echo "$2 killed $after into it ($3), phase ${phase:-over}: domain $(xsplit domid "$1"), $(tail -n 1 migrate.log)"
	busy_goes_on "$1"
}

host_start
busy_script busy.script
say pv
lab-guest --script busy.script -o pv.initrd || fail "lab-guest"
guest_write pv pv "memory=160"
busy_start pv
before=$(date +%s%3N)
xsplit migrate -s "" pv "xsplit migrate-receive" || fail "migrate"
took=$(($(date +%s%3N) - before))
for _ in 1 2; do
	for side in sender receiver; do
		killed pv "$side" anywhere
		killed pv "$side" late
	done
done
busy_end pv
cat settled.log 2>/dev/null
