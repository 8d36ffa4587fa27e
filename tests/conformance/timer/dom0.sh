#!/bin/bash
# In dom0 of the lab: the guest kernel booted in each way and moved in each way, as settings has it.
# Prints "WHAT case ..." for each case and "run WHAT SECONDS RESULT" for each guest; exits 0 if none failed.
# What wait_for and guest call is reached.
# shellcheck disable=SC2317
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

gone() {
	! xl domid "$1"
}

# What our toolstack's guests need.
daemons_start() {
	[ -e daemons.started ] && return
	touch daemons.started
	ip link add xenbr0 type bridge
	ip addr add 192.0.2.1/24 dev xenbr0
	ip link set xenbr0 up
	xsplit-backend >/tmp/backend.log 2>&1 &
	xsplitd >/tmp/xsplitd.log 2>&1 &
}

# disk BOOT FILE [CD]
disk() {
	local vdev=xvda backend=backendtype=qdisk,
	case $1 in
	bios | cd) vdev=hda ;;
	esac
	[ "$tool" = xl ] || backend=
	echo "disk=[\"format=raw, vdev=$vdev, access=rw, $backend target=$2\"${3:+, \"vdev=hdc, cdrom, target=$3\"}]"
}

# Through SeaBIOS, which is told to start from drive $1.
bios() {
	cat <<-END
		type="hvm"
		bios="seabios"
		bios_path_override="$PWD/bios-256k.bin"
		boot="$1"
		serial="file:/tmp/$2.serial"
		vga="none"
		nographic=1
	END
}

# config NAME BOOT VCPUS WORDS: NAME.cfg, and what it boots from. Our toolstack's guests have a disk and a network
# card of our backend's, and those that xl moves a disk of QEMU's.
config() {
	local name=$1 boot=$2 vcpus=$3 words=$4
	cat >"$name.cfg" <<-END
		name="$name"
		vcpus=$vcpus
		memory=32
		max_event_channels=4096
		on_poweroff="destroy"
		on_crash="destroy"
		on_reboot="destroy"
	END
	[ "$tool" = xl ] || echo 'vif=["mac=00:16:3e:00:00:02, bridge=xenbr0"]' >>"$name.cfg"
	if [[ $boot != bios && $boot != cd && "$tool $what" != "xl all" ]]; then
		truncate -s 8M "$name.disk"
		disk "$boot" "$PWD/$name.disk" >>"$name.cfg"
	fi
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
		bios c "$name" >>"$name.cfg"
		disk bios "$PWD/$name.img" >>"$name.cfg"
		;;
	cd)
		cp xsplit-kernel.iso "$name.iso"
		arm "$name.iso" "$words"
		truncate -s 8M "$name.disk"
		bios d "$name" >>"$name.cfg"
		disk cd "$PWD/$name.disk" "$PWD/$name.iso" >>"$name.cfg"
		;;
	esac
}

# While it is received, a migrated guest has another name, which its log keeps.
console() {
	cat "$log/guest-$1.log" "$log/guest-$1--incoming.log" 2>/dev/null | tr -d '\r'
}

ended() {
	console "$1" | grep -q '^Test result: ' || gone "$1"
}

# An emulated processor (QEMU 7.2 without KVM) has this now and then at a VMRUN, with a guest's registers or even
# with Xen's own: such a guest is run once more.
triple_fault() {
	[ -z "$result" ] && xl dmesg | grep -q "^(XEN) d[0-9]*v[0-9]* Triple fault"
}

report() { # NAME
	if [ -z "$result" ]; then
		echo "$1: no result; its console, its serial port, its device model and Xen:"
		console "$1" | tail -n 20
		cat "/tmp/$1.serial" "$log/qemu-dm-$1.log" 2>/dev/null | tail -n 20
		xl dmesg | tail -n 30
	fi
	console "$1" | sed -n "s/^\(case\|upgrade\|cases\|xsplit\)/$1 \1/p"
	echo "run $1 $((SECONDS - started)) ${result:-NONE}"
	case $result in
	SUCCESS | SKIP) ;;
	*) failed=1 ;;
	esac
}

# guest NAME SECONDS COMMAND...: COMMAND makes it, then wait for its result.
guest() {
	local name=$1 patience=$2 started=$SECONDS try refused
	shift 2
	for try in 1 2 3; do
		rm -f "$log/guest-$name.log" "$log/guest-$name--incoming.log"
		xl dmesg -c >/dev/null
		refused=0
		"$@" >"$name.create.log" 2>&1 || {
			echo "$name: not created or not moved:"
			cat "$name.create.log"
			refused=1
		}
		wait_for "$patience" ended "$name"
		wait_for 20 gone "$name" || xl destroy "$name"
		result=$(console "$name" | sed -n 's/^Test result: //p' | tail -n 1)
		triple_fault || break
		echo "$name: the emulated processor gave up, try $try"
	done
	[ "$refused" = 0 ] || failed=1
	report "$name"
}

ready() {
	[ "$(xenstore-read "/local/domain/$(xl domid "$1")/data/ready" 2>/dev/null)" = suspend ]
}

# move HOW NAME: away and back, or only as if.
move() {
	case $1 in
	save) "$tool" save "$2" "$2.saved" && "$tool" restore "$2.saved" ;;
	checkpoint) "$tool" save -c "$2" "$2.saved" ;;
	resume)
		xenstore-write "/local/domain/$(xl domid "$2")/control/shutdown" suspend &&
			./timer-resume "$(xl domid "$2")"
		;;
	migrate) "$tool" migrate -s "" "$2" "$tool migrate-receive" ;;
	esac
}

# Moved while timers and events go on, and its own check read.
moved() { # HOW NAME
	"$tool" create "${quiet[@]}" "$2.cfg" && wait_for 400 ready "$2" && move "$1" "$2"
}

# Guests with four vcpus that tick leave a busy machine's dom0 too little to serve them.
xl sched-credit2 -d 0 -w 4096
for words in $GUESTS; do
	IFS=, read -r what boot vcpus tool tests <<<"$words"
	name=$boot-$vcpus quiet=()
	case ${tool:=xl} in
	xl) quiet=(-q) ;;
	xsplit)
		name=xsplit-$name
		daemons_start
		;;
	esac
	case $what in
	all)
		config "$name" "$boot" "$vcpus" "${tests:+tests=$tests}"
		guest "$name" 600 "$tool" create "${quiet[@]}" "$name.cfg"
		;;
	*)
		words=tests=suspend
		[ "$what" != resume ] || words+=" in-place"
		config "$what-$name" "$boot" "$vcpus" "$words"
		guest "$what-$name" 600 moved "$what" "$what-$name"
		;;
	esac
done
exit $failed
