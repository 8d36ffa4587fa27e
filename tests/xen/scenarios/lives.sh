#!/bin/bash
# Two hundred lives of a PV guest, and ten that are cut short by kill -9 of the toolstack: nothing is lost, of Xen's memory, event channels, grants, nodes, interfaces or descriptors.
# lab: --timeout 2400
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

rounds=${ROUNDS:-200}

holdings() {
	local name pid
	echo "Xen's free memory: $(xl info free_memory)"
	echo "event channels of dom0: $(lsevtchn 0 | wc -l)"
	xl list | awk '{ print $1, $2 }'
	for name in xsplit-xenstored xsplit-backend xsplitd xenconsoled; do
		for pid in $(pgrep -x "${name:0:15}"); do
			echo "$name: $(find "/proc/$pid/fd" -mindepth 1 | wc -l) descriptors"
		done
	done
	xenstore-ls -f | sort
	ip -br link | awk '{ print $1 }' | sort
	find /run/xsplit /run/xen | sort
	find /var/lib/xen -name "userdata-[dnl].[1-9]*"
}

as_before() {
	holdings >now
	[ "$(<before)" = "$(<now)" ]
}

# unchanged WHEN
unchanged() {
	wait_for 60 as_before || {
		comm -3 <(sort before) <(sort now)
		fail "$1: something is left"
	}
}

host_start
truncate -s 8M g.img
cat >g.cfg <<-END
	name="g"
	type="pv"
	kernel="/lab/guest/vmlinuz"
	memory=80
	disk=["vdev=xvda,target=$PWD/g.img"]
	vif=["mac=00:16:3e:00:01:01,bridge=xenbr0"]
END
xsplit create -p -q g.cfg || fail "create"
xsplit destroy g || fail "destroy"
sleep 2
holdings >before
head -n 2 before

say "$rounds lives"
for ((n = 1; n <= rounds; n++)); do
	xsplit create -p -q g.cfg || fail "create $n"
	xsplit destroy g || fail "destroy $n"
	((n % 50)) || say "$n"
done
unchanged "after $rounds lives"

# Two processes each: the command and xsplitd. What they began, the next xsplitd ends.
say "ten cut short"
for ((n = 1; n <= 10; n++)); do
	if ((n % 2)); then
		words="create -p -q g.cfg"
	else
		words="destroy g"
		xsplit create -p -q g.cfg || fail "create before a destroy that is cut short"
	fi
	# shellcheck disable=SC2086
	xsplit $words &
	sleep "0.$((RANDOM % 900 + 100))"
	kill -9 $! 2>/dev/null && say "killed: $words"
	for pid in $(pgrep -x xsplitd); do
		kill -9 "$pid"
	done
	wait $! 2>/dev/null
	xsplitd >>/tmp/xsplitd.log 2>&1 &
	sleep 2
	xsplit doctor --repair >found 2>&1 || say "$(cat found)"
	! xsplit domid g 2>/dev/null || xsplit destroy g || fail "it cannot be destroyed"
	xsplit doctor || fail "xsplit doctor finds something after its repair"
	unchanged "after $words was cut short"
done
wait_for 20 kernel_forgot || fail "dom0's kernel still has $(ls /sys/bus/xen-backend/devices)"
say "$rounds lives and ten cut short; nothing is left"
