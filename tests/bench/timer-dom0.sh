#!/bin/bash
# In dom0 of the lab: the guest kernel measures itself, then Debian's kernel, with and without Xen's ways.
# Prints "result WHO NAME WHERE NS" lines.
set -u

log=/var/log/xen

# What all guests have in common: a machine with a BIOS, a disk and a serial port, a TSC that does not trap.
config() { # NAME IMAGE
	cat <<-END
		name="$1"
		type="hvm"
		vcpus=2
		tsc_mode="native"
		on_poweroff="destroy"
		on_crash="destroy"
		on_reboot="destroy"
		disk=["format=raw, vdev=hda, access=rw, backendtype=qdisk, target=$2"]
		serial="file:/tmp/$1.serial"
		vga="none"
		nographic=1
	END
}

wait_line() { # FILE PATTERN SECONDS
	local end=$((SECONDS + $3))
	until grep -aq "$2" "$1" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.5
	done
}

# Without firmware, which needs a minute to read a disk; the machine is the same.
ours() {
	local at
	truncate -s 8M ours.img
	at=$(grep -abo -m1 'xsplit-command-line:' xsplit-kernel | cut -d: -f1)
	printf 'xsplit-command-line:tests=bench\0' | dd of=xsplit-kernel bs=1 seek="$at" conv=notrunc 2>/dev/null
	config ours "$PWD/ours.img" >ours.cfg
	cat >>ours.cfg <<-END
		memory=32
		firmware_override="$PWD/xsplit-kernel"
	END
	xl create -q ours.cfg || return 1
	wait_line $log/guest-ours.log '^Test result' 400 || {
		tail -n 20 $log/guest-ours.log /tmp/ours.serial $log/qemu-dm-ours.log
		return 1
	}
	tr -d '\r' <$log/guest-ours.log | sed -n 's/^bench /result ours /p; s/^exits /exits ours /p; /^case/p'
	xl destroy ours 2>/dev/null
	return 0
}

linux() { # NAME WORDS DISK
	local name=$1
	printf '#!/bin/sh\n/timer_linux %s %s\n' "$name" "$3" >script
	lab-guest --disk --append "console=ttyS0 quiet $2" --script script --file timer_linux \
		--module xen-evtchn -o "$name.img" || return 1
	config "$name" "$PWD/$name.img" >"$name.cfg"
	cat >>"$name.cfg" <<-END
		memory=256
		bios="seabios"
		bios_path_override="$PWD/bios-256k.bin"
	END
	xl create -q "$name.cfg" || return 1
	wait_line "/tmp/$name.serial" '^guest: exit' 900 || {
		tail -n 20 "/tmp/$name.serial" "$log/qemu-dm-$name.log"
		xl destroy "$name"
		return 1
	}
	tr -d '\r' <"/tmp/$name.serial" | sed -n "s/^bench /result $name /p"
	xl destroy "$name" 2>/dev/null
	return 0
}

rc=0
ours || rc=1
for peer in "$@"; do
	case $peer in
	linux-pvhvm) linux linux-pvhvm "" /dev/xvda || rc=1 ;;
	linux-nopv) linux linux-nopv "xen_nopv" /dev/sda || rc=1 ;;
	esac
done
exit $rc
