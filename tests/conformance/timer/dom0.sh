#!/bin/bash
# In dom0 of the lab: each way of booting the guest kernel, with 1 and 4 vcpus, then saved and restored.
# Prints "WHAT case ..." for each case and "run WHAT SECONDS RESULT" for each guest; exits 0 if none failed.
set -u

# shellcheck disable=SC1091
. ./settings # GUESTS
log=/var/log/xen
failed=0

# arm FILE WORDS: the kernel's own command line, for where no loader passes one.
arm() {
	local at
	at=$(grep -abo -m1 'xsplit-command-line:' "$1" | cut -d: -f1)
	printf 'xsplit-command-line:%s\0' "$2" | dd of="$1" bs=1 seek="$at" conv=notrunc 2>/dev/null
}

wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# What wait_for calls is reached.
# shellcheck disable=SC2317
gone() {
	! xl domid "$1"
}

# What our toolstack's guests need.
daemons_start() {
	[ -e daemons.started ] && return
	touch daemons.started
	xsplit-backend >/tmp/backend.log 2>&1 &
	xsplitd >/tmp/xsplitd.log 2>&1 &
}

# config NAME BOOT VCPUS WORDS: NAME.cfg, and what it boots from.
config() {
	local name=$1 boot=$2 vcpus=$3 words=$4 backend=qdisk
	[ "$tool" = xl ] || backend=
	cat >"$name.cfg" <<-END
		name="$name"
		vcpus=$vcpus
		memory=32
		max_event_channels=4096
		on_poweroff="destroy"
		on_crash="destroy"
		on_reboot="destroy"
	END
	case $boot in
	pvh)
		cat >>"$name.cfg" <<-END
			type="pvh"
			kernel="$PWD/xsplit-kernel"
			cmdline="$words"
		END
		;;
	firmware)
		cp xsplit-kernel "$name.kernel"
		arm "$name.kernel" "$words"
		cat >>"$name.cfg" <<-END
			type="hvm"
			firmware_override="$PWD/$name.kernel"
			vga="none"
			nographic=1
		END
		;;
	bios)
		cp xsplit-kernel.img "$name.img"
		arm "$name.img" "$words"
		cat >>"$name.cfg" <<-END
			type="hvm"
			bios="seabios"
			bios_path_override="$PWD/bios-256k.bin"
			disk=["format=raw, vdev=hda, access=rw, ${backend:+backendtype=$backend, }target=$PWD/$name.img"]
			serial="file:/tmp/$name.serial"
			vga="none"
			nographic=1
		END
		;;
	esac
}

console() {
	tr -d '\r' <"$log/guest-$1.log" 2>/dev/null
}

# shellcheck disable=SC2317
result_there() {
	console "$1" | grep -q '^Test result: '
}

# end NAME SECONDS: wait for its result, print its cases.
end() {
	local name=$1 result
	if ! wait_for "$2" result_there "$name"; then
		echo "$name: no result; its console, its serial port, its device model and Xen:"
		console "$name" | tail -n 20
		cat "/tmp/$name.serial" "$log/qemu-dm-$name.log" 2>/dev/null | tail -n 20
		xl dmesg | tail -n 20
	fi
	result=$(console "$name" | sed -n 's/^Test result: //p' | tail -n 1)
	console "$name" | sed -n "s/^\(case\|upgrade\|cases\|bench\|exits\|xsplit\)/$name \1/p"
	wait_for 20 gone "$name" || xl destroy "$name"
	echo "run $name $((SECONDS - started)) ${result:-NONE}"
	case $result in
	SUCCESS | SKIP) ;;
	*) failed=1 ;;
	esac
}

run() { # NAME BOOT VCPUS WORDS
	started=$SECONDS
	config "$1" "$2" "$3" "$4"
	"$tool" create $quiet "$1.cfg" >"$1.create.log" 2>&1 || {
		echo "$1: not created: $(cat "$1.create.log")"
		failed=1
		return
	}
	end "$1" 240
}

# shellcheck disable=SC2317
ready() {
	[ "$(xenstore-read "/local/domain/$(xl domid "$1")/data/ready" 2>/dev/null)" = suspend ]
}

# move HOW NAME: away and back, or only as if.
move() {
	case $1 in
	save) "$tool" save "$2" "$2.saved" && "$tool" restore "$2.saved" ;;
	checkpoint) "$tool" save -c "$2" "$2.saved" ;;
	migrate) "$tool" migrate -s "" "$2" "$tool migrate-receive" ;;
	esac
}

# Moved while timers and events go on, and its own check read.
moved() { # HOW NAME BOOT VCPUS
	started=$SECONDS
	config "$2" "$3" "$4" "tests=suspend"
	if ! { "$tool" create $quiet "$2.cfg" && wait_for 120 ready "$2" && move "$1" "$2"; } >"$2.move.log" 2>&1; then
		echo "$2: $1 failed"
		cat "$2.move.log"
		failed=1
	fi
	end "$2" 120
}

for guest in $GUESTS; do
	IFS=, read -r what boot vcpus tool tests <<<"$guest"
	name=$boot-$vcpus quiet=
	case ${tool:=xl} in
	xl) quiet=-q ;;
	xsplit)
		name=xsplit-$name
		daemons_start
		;;
	esac
	case $what in
	all) run "$name" "$boot" "$vcpus" "${tests:+tests=$tests}" ;;
	*) moved "$what" "$what-$name" "$boot" "$vcpus" ;;
	esac
done
exit $failed
