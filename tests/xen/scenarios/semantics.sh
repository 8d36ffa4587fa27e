#!/bin/bash
# The embedded platform's test of grants and events, the same binary, holds on real Xen: within dom0 and with guests.
# files: tests/bin/semantics
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# both DOMID COMMAND DOMID COMMAND
both() {
	say "between domains $1 and $3"
	./semantics "$@" | tee words
	[ "${PIPESTATUS[0]}" -eq 0 ] || fail "semantics"
	[ "$(grep -c '^ok' words)" -ge 22 ] || fail "semantics ran too little"
}

cat >agents.script <<-'END'
	#!/bin/sh
	ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up || exit 1
	printf '#!/bin/sh\nexec /semantics agent\n' >/agent && chmod +x /agent
	nc -ll -p 7000 -e /agent &
	echo "guest: agents wait"
	nc -l -p 7001 >/dev/null
END

# guest NAME TYPE: its agents are reached through its network card, which is ours too.
guest() {
	guest_write "$1" "$2"
	cp agents.initrd "$1.initrd"
	guest_create "$1"
	wait_for 300 grep '^guest: agents wait' "/var/log/xen/guest-$1.log" || fail "$1: no agents"
	domid=$(xsplit domid "$1")
	both 0 "exec ./semantics agent" "$domid" "exec busybox nc 192.0.2.2 7000"
	both "$domid" "exec busybox nc 192.0.2.2 7000" 0 "exec ./semantics agent"
	echo end | busybox nc 192.0.2.2 7001
	guest_end "$1" 300
}

host_start
both 0 "exec ./semantics agent" 0 "exec ./semantics agent"
lab-guest --script agents.script --program semantics --module xen-gntdev --module xen-gntalloc --module xen-evtchn \
	-o agents.initrd || fail "lab-guest"
guest pv pv
guest pvh pvh
