#!/bin/bash
# bench-toolstack, in the lab's dom0: how long our toolstack and xl take for the same guest, on the same host.
#
# A guest of one disk and one vif, made paused so that it takes no time itself; the same kernel, backend,
# bridge and xenstored for both; a round of each in turn, the medians count. Prints a line of JSON a figure
# between BENCH and END, and forks and store operations of one create and one destroy of each.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# shellcheck disable=SC1091
[ ! -e settings ] || . ./settings
rounds=${ROUNDS:-5}
host_start
sleep 1

now() { # microseconds
	local t=${EPOCHREALTIME/./}
	echo "$t"
}

# timed VARIABLE COMMAND...: how long it took, in milliseconds with three digits.
timed() {
	local name=$1 start end
	shift
	start=$(now)
	"$@" >/tmp/bench.out 2>&1 </dev/null || fail "$*: $(cat /tmp/bench.out)"
	end=$(now)
	printf -v "$name" '%d.%03d' $(((end - start) / 1000)) $(((end - start) % 1000))
}

median() {
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

forks() {
	sed -n 's/^processes //p' /proc/stat
}

# Requests that xenstored answered, itself asked once for it.
requests() {
	xenstore-control stats 2>/dev/null | awk -F: '$1 ~ /^[a-z-]+ *$/ && $1 !~ /errors/ { n += $2 } END { print n + 0 }'
}

guest() { # name, number
	truncate -s 8M "$1.img"
	cat >"$1.cfg" <<-END
		name="$1"
		type="pv"
		kernel="/lab/guest/vmlinuz"
		memory=96
		disk=["vdev=xvda,target=$PWD/$1.img"]
		vif=["mac=00:16:3e:00:01:$(printf %02x "$2"),bridge=xenbr0"]
	END
}

figure() { # name ours peer
	printf '{"name":"%s","where":"xen","ours":%s,"peer":%s,"peer_name":"xl","ratio":%s,"unit":"ms"}\n' \
		"$1" "$2" "$3" "$(awk -v o="$2" -v p="$3" 'BEGIN { printf "%.2f", p / o }')"
}

count() { # tool: one create and one destroy of it, counted
	local f0 f1 f2 r0 r1 r2
	f0=$(forks) r0=$(requests)
	"$1" create -p -q g.cfg >/dev/null 2>&1
	f1=$(forks) r1=$(requests)
	"$1" destroy g >/dev/null 2>&1
	f2=$(forks) r2=$(requests)
	# Those of the counting itself are the same for both.
	echo "$1: create $((f1 - f0)) forks, $((r1 - r0)) store operations; destroy $((f2 - f1)) forks, $((r2 - r1)) store operations"
}

# lives: COUNT creates and destroys by both, the times into the arrays TOOL_create and TOOL_destroy.
lives() {
	local i t
	xsplit_create=() xsplit_destroy=() xl_create=() xl_destroy=()
	for ((i = 0; i < $1; i++)); do
		timed t xsplit create -p -q g.cfg && xsplit_create+=("$t")
		timed t xsplit destroy g && xsplit_destroy+=("$t")
		timed t xl create -p -q g.cfg && xl_create+=("$t")
		timed t xl destroy g && xl_destroy+=("$t")
	done
}

lists() {
	local i t
	xsplit_list=() xl_list=()
	for ((i = 0; i < $1; i++)); do
		timed t xsplit list && xsplit_list+=("$t")
		timed t xl list && xl_list+=("$t")
	done
}

guest g 1
say "first, unmeasured"
xsplit create -p -q g.cfg
xsplit destroy g
xl create -p -q g.cfg && xl destroy g
for tool in xsplit xl; do
	count "$tool"
done

say "alone"
lives "$rounds"
echo BENCH
figure create "$(median "${xsplit_create[@]}")" "$(median "${xl_create[@]}")"
figure destroy "$(median "${xsplit_destroy[@]}")" "$(median "${xl_destroy[@]}")"
lists "$rounds"
figure list-1 "$(median "${xsplit_list[@]}")" "$(median "${xl_list[@]}")"
for ((n = 0; n < 20; n++)); do
	xsplit create -p -q /dev/stdin <<-END || fail "create of neighbour $n"
		name="n$n"
		type="pv"
		kernel="/lab/guest/vmlinuz"
		memory=80
	END
done
lists "$rounds"
figure list-20 "$(median "${xsplit_list[@]}")" "$(median "${xl_list[@]}")"
lives 3
figure create-at-20 "$(median "${xsplit_create[@]}")" "$(median "${xl_create[@]}")"
figure destroy-at-20 "$(median "${xsplit_destroy[@]}")" "$(median "${xl_destroy[@]}")"
echo END
xsplit destroy g 2>/dev/null
for ((n = 0; n < 20; n++)); do
	xsplit destroy "n$n" || fail "destroy of neighbour $n"
done
exit 0
