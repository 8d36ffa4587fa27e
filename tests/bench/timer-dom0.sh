#!/bin/bash
# In dom0 of the lab: the guest kernel measures itself, or Debian's kernel, with and without Xen's ways; by our
# toolstack, with our backend behind the PV disk and QEMU behind the emulated one.
# Prints "result WHO NAME WHERE NS" lines.
set -u

log=/var/log/xen

# What all guests have in common: a TSC that does not trap.
config() { # NAME
	cat <<-END
		name="$1"
		vcpus=2
		tsc_mode="native"
		on_poweroff="destroy"
		on_crash="destroy"
		on_reboot="destroy"
	END
}

# A machine with a disk and a serial port. The BIOS reads an IDE disk (hda) word by word, a SCSI disk (sda) not.
machine() { # NAME VDEV IMAGE
	cat <<-END
		type="hvm"
		disk=["format=raw, vdev=$2, access=rw, target=$3"]
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
	{
		config ours
		machine ours hda "$PWD/ours.img"
		echo memory=32
		echo "firmware_override=\"$PWD/xsplit-kernel\""
	} >ours.cfg
	xsplit create ours.cfg || return 1
	wait_line $log/guest-ours.log '^Test result' 400 || {
		tail -n 20 $log/guest-ours.log /tmp/ours.serial $log/qemu-dm-ours.log
		return 1
	}
	tr -d '\r' <$log/guest-ours.log | sed -n 's/^bench /result ours /p; s/^exits /exits ours /p; /^case/p'
	grep -aq '^Test result: SUCCESS' $log/guest-ours.log
}

# Its disk is whatever Xen or the machine makes of the one it has.
linux_script() { # NAME
	cat <<-END
		#!/bin/sh
		for disk in /dev/xvda /dev/xvde /dev/sda; do
			[ -b \$disk ] && break
		done
		/timer_linux $1 \$disk
	END
}

linux() { # NAME WORDS
	local name=$1 console=/tmp/$1.serial
	linux_script "$name" >script
	lab-guest --disk --append "console=ttyS0 quiet $2" --script script --file timer_linux \
		--module xen-evtchn -o "$name.img" || return 1
	{
		config "$name"
		machine "$name" sda "$PWD/$name.img"
		echo memory=256
		echo 'boot="c"'
		echo "bios_path_override=\"$PWD/bios-256k.bin\""
	} >"$name.cfg"
	linux_run "$name" "$console"
}

linux_pvh() { # NAME
	local name=$1
	linux_script "$name" >script
	lab-guest --script script --file timer_linux --module xen-evtchn -o "$name.initrd" || return 1
	truncate -s 8M "$name.img"
	{
		config "$name"
		echo 'type="pvh"'
		echo memory=256
		echo 'kernel="/lab/guest/vmlinuz"'
		echo "ramdisk=\"$PWD/$name.initrd\""
		echo 'extra="console=hvc0 quiet"'
		echo "disk=[\"format=raw, vdev=xvda, access=rw, target=$PWD/$name.img\"]"
	} >"$name.cfg"
	linux_run "$name" "$log/guest-$name.log"
}

linux_run() { # NAME CONSOLE
	local began=$SECONDS
	xsplit create "$1.cfg" || return 1
	wait_line "$2" '^guest: exit' 1000 || {
		tail -n 20 "$2" "$log/qemu-dm-$1.log"
		xsplit destroy "$1"
		return 1
	}
	echo "seconds $1 $((SECONDS - began))"
	tr -d '\r' <"$2" | sed -n "s/^bench /result $1 /p"
	xsplit destroy "$1" 2>/dev/null
	tr -d '\r' <"$2" | grep -q '^bench timer-interrupt [^ ]* [0-9]'
}

# While dom0 waits for its disk the counted lab's clock jumps from timer to timer, past any deadline: from here on
# nothing is read from it.
/usr/libexec/xen-qemu-system-i386 -M help >/dev/null
find /usr/share/qemu /usr/share/seabios -type f -exec cat {} + >/dev/null
xsplit-backend >/tmp/backend.log 2>&1 &
xsplitd >/tmp/xsplitd.log 2>&1 &
case $1 in
ours) ours ;;
linux-pvhvm) linux linux-pvhvm "" ;;
linux-nopv) linux linux-nopv xen_nopv ;;
linux-pvh) linux_pvh linux-pvh ;;
*)
	echo "nobody is called $1 here"
	exit 2
	;;
esac
