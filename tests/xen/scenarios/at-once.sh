#!/bin/bash
# Four guests made at once and destroyed at once, which xentop counts; of two that do not fit together one is refused.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# at_once COUNT WORDS...: `xsplit WORDS gN` for each, the end of each in status, its words in outN.
at_once() {
	local n count=$1 pids=()
	shift
	for n in $(seq "$count"); do
		xsplit "$@" "g$n${suffix:-}" >"out$n" 2>&1 &
		pids+=($!)
	done
	status=''
	for n in "${pids[@]}"; do
		wait "$n" && status="$status 0" || status="$status $?"
	done
}

memory_back() {
	[ "$(xl info free_memory)" = "$free" ]
}

host_start
for n in 1 2 3 4; do
	truncate -s 8M "g$n.img"
	cat >"g$n.cfg" <<-END
		name="g$n"
		type="pv"
		kernel="/lab/guest/vmlinuz"
		memory=80
		disk=["vdev=xvda,target=$PWD/g$n.img"]
		vif=["mac=00:16:3e:00:02:0$n,bridge=xenbr0"]
	END
done
suffix=.cfg at_once 1 create -p -q
at_once 1 destroy
sleep 2
free=$(xl info free_memory)

say "four at once"
suffix=.cfg at_once 4 create -p -q
[ "$status" = " 0 0 0 0" ] || fail "created: $status: $(cat out?)"
xl list
[ "$(xl list | awk '$1 ~ /^g[1-4]$/ && $3 == 80 && $5 == "--p---"' | wc -l)" = 4 ] || fail "xl list"
xentop -b -i 1 >top 2>top.err || fail "xentop: $(cat top.err)"
cat top top.err
# Its name, state, memory, one network card, one disk.
[ "$(awk '$1 ~ /^g[1-4]$/ && $2 == "----p-" && $5 == 81920 && $10 == 1 && $13 == 1' top | wc -l)" = 4 ] || fail "xentop"
at_once 4 destroy
[ "$status" = " 0 0 0 0" ] || fail "destroyed: $status: $(cat out?)"
wait_for 30 memory_back || fail "$(xl info free_memory) MiB of $free are free"

say "two thirds of the memory for each of two"
sed -i "s/^memory=.*/memory=$((free * 2 / 3))/" g1.cfg g2.cfg
suffix=.cfg at_once 2 create -p -q
cat out1 out2
xl list
[ "$status" = " 0 1" ] || [ "$status" = " 1 0" ] || fail "created: $status"
grep -h "memory" out1 out2 || fail "nothing is said of memory"
[ "$(xl list | grep -c '^g[12] ')" = 1 ] || fail "not one"
xsplit doctor || fail "the doctor is not content"
for n in 1 2; do
	! xsplit domid "g$n" >/dev/null 2>&1 || xsplit destroy "g$n" || fail "destroy"
done
wait_for 30 memory_back || fail "$(xl info free_memory) MiB of $free are free at the end"
xsplit doctor || fail "the doctor is not content at the end"
kernel_forgot || fail "dom0's kernel still has $(ls /sys/bus/xen-backend/devices)"
