# shellcheck shell=bash
# What the scenarios share. They run in the lab's dom0, in a directory of their own.
set -u

# The host's side: our backend, our daemon, a bridge, a peer to talk TCP with.
host_start() {
	xsplit-backend >/tmp/backend.log 2>&1 &
	xsplitd >/tmp/xsplitd.log 2>&1 &
	ip link add xenbr0 type bridge
	ip addr add 192.0.2.1/24 dev xenbr0
	ip link set xenbr0 up
	iperf3 -s -D
}

say() {
	echo "== $*"
}

# fail WORDS: say what is wrong, with all there is to find out why.
fail() {
	echo "FAIL: $*"
	tail -n 40 /run/xsplit/*.log /tmp/backend.log /tmp/xsplitd.log /var/log/xen/store.log /var/log/xen/guest-*.log
	xenstore-ls -f | grep -v '^/tool/xsplit/domain/[0-9]*/config'
	xl list
	xl dmesg | tail -n 20
	echo "FAIL: $*"
	exit 1
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.5
	done
}

gone() {
	! xsplit domid "$1"
}

# guest_write NAME TYPE [KEY=VALUE...]: NAME.cfg with a disk of ext4, a raw one and a network card.
guest_write() {
	local name=$1 type=$2
	shift 2
	truncate -s 48M "$name-ext4.img" && mke2fs -q -t ext4 "$name-ext4.img"
	truncate -s 8M "$name-raw.img"
	cat >"$name.cfg" <<-END
		name="$name"
		type="$type"
		kernel="/lab/guest/vmlinuz"
		ramdisk="$name.initrd"
		extra="console=hvc0 quiet"
		memory=512
		vcpus=1
		disk=["vdev=xvda,target=$name-ext4.img", "vdev=xvdb,target=$name-raw.img"]
		vif=["mac=00:16:3e:00:00:02,bridge=xenbr0"]
	END
	for line in "$@"; do
		echo "$line" >>"$name.cfg"
	done
}

# guest_end NAME SECONDS: wait for its end, see that all went well and that it left nothing.
guest_end() {
	local log left
	wait_for "$2" gone "$1" || fail "$1 did not end within $2 s"
	[ -z "${follower:-}" ] || wait "$follower"
	log=/var/log/xen/guest-$1.log
	[ -s "$log" ] || fail "no console log of $1: xenconsoled did not attach"
	grep -q '^guest: exit 0' "$log" || fail "$1: its script failed"
	left=$(xenstore-ls -f | grep -E "^/(local/domain/[1-9]|local/domain/0/backend/.|libxl/[1-9]|vm/[^0]|tool/xsplit/domain/.)" || true)
	[ -z "$left" ] || fail "nodes left: $left"
	e2fsck -fn "$1-ext4.img" >/dev/null 2>&1 || fail "$1-ext4.img is not clean"
}

# Dom0's kernel has a device for each backend that it heard of, whoever serves it, until it hears of its end.
kernel_forgot() {
	[ -z "$(ls -A /sys/bus/xen-backend/devices)" ]
}

# No half of another's: what the guests have comes from us.
no_kernel_backend() {
	! lsmod | grep -E '^xen_(blkback|netback)' || fail "a kernel backend is loaded"
}

# script_write FILE VCPUS: what a guest does with its disks and its network card; it sends $pings pings.
pings=100
script_write() {
	cat >"$1" <<-END
		#!/bin/sh
		say() { echo "guest: \$*"; }
		fail() { say "FAIL: \$*"; exit 1; }
		n=\$(grep -c ^processor /proc/cpuinfo)
		[ "\$n" = $2 ] || fail "\$n vcpus instead of $2"
		mount -t ext4 /dev/xvda /mnt || fail "no mount"
		dd if=/dev/urandom of=/mnt/file bs=64k count=64 2>/dev/null || fail "no write"
		before=\$(md5sum </mnt/file)
		umount /mnt && echo 3 >/proc/sys/vm/drop_caches && mount -t ext4 /dev/xvda /mnt || fail "no second mount"
		[ "\$(md5sum </mnt/file)" = "\$before" ] || fail "the file reads back differently"
		md5sum /mnt/file >/mnt/sum && umount /mnt || fail "no umount"
		say "ext4 ok"
		if [ -x /usr/bin/fio ]; then
			fio --name=v --filename=/dev/xvdb --rw=randwrite --bs=4k --size=2M --iodepth=8 --ioengine=libaio --direct=1 \\
				--verify=crc32c --verify_fatal=1 >/tmp/fio || { cat /tmp/fio; fail "fio"; }
			say "fio ok"
		else
			dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null
			dd if=/tmp/data of=/dev/xvdb bs=64k oflag=direct 2>/dev/null || fail "no direct write"
			dd if=/dev/xvdb bs=64k count=64 iflag=direct 2>/dev/null | cmp - /tmp/data || fail "raw data differs"
			say "raw disk ok"
		fi
		ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up || fail "no eth0"
		tries=0
		until ping -c 1 -W 1 192.0.2.1 >/dev/null; do
			tries=\$((tries + 1))
			[ \$tries -lt 20 ] || fail "no ping"
		done
		ping -q -A -c $pings 192.0.2.1 >/tmp/ping || fail "no ping: \$(cat /tmp/ping)"
		say "\$(grep transmitted /tmp/ping)"
		grep -q " $pings packets received, 0% packet loss" /tmp/ping || fail "pings lost"
		for way in '' -R; do
			iperf3 -c 192.0.2.1 -t 2 \$way >/tmp/iperf || fail "iperf3 \$way: \$(cat /tmp/iperf)"
			say "iperf3 \$way \$(grep receiver /tmp/iperf)"
		done
		cp /tmp/iperf /tmp/ping /results/
	END
}

# guest_create NAME: with its console copied to NAME.words, and what its script says shown.
guest_create() {
	say "$1: create"
	xsplit create -c "$1.cfg" >"$1.words" 2>&1 </dev/null &
	tail -n +1 --pid=$! -f "$1.words" | sed -u -n 's/\r$//; /^guest: /p' &
	follower=$!
	wait_for 600 grep "^Started domain" "$1.words" || fail "create: $(cat "$1.words")"
	xl list | grep -q "^$1 " || fail "xl list does not show $1"
	grep "^Started domain" "$1.words"
}

triple_faults() {
	xl dmesg | grep -c "Triple fault"
}

# guest_life NAME TYPE VCPUS: from its creation until it is gone; false when its processor gave up.
guest_life() {
	local before
	before=$(triple_faults)
	guest_write "$1" "$2" "vcpus=$3" 'on_reboot="destroy"'
	guest_create "$1"
	wait_for 600 gone "$1" || fail "$1 did not end within 600 s"
	[ "$(triple_faults)" = "$before" ]
}

# guest_run NAME TYPE VCPUS [with fio]: a whole life of a guest.
guest_run() {
	local name=$1 type=$2 vcpus=$3 tries=3
	shift 3
	say "$name: make its initrd and disks"
	script_write "$name.script" "$vcpus"
	lab-guest --script "$name.script" ${1:+--with "$2"} -o "$name.initrd" || fail "lab-guest"
	until guest_life "$name" "$type" "$vcpus"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "$name: a triple fault three times"
		say "$name: a triple fault, as QEMU's emulated processor has them (docs/lab.md); once more"
		rm -f "/var/log/xen/guest-$name.log"
	done
	guest_end "$name" 300
	grep -q '^guest: exit 0' "$name.words" || fail "its console did not reach create -c: $(cat "$name.words")"
	lab-guest results "/var/log/xen/guest-$name.log" "$name.results" || fail "its results did not come back"
	grep -q transmitted "$name.results/ping" || fail "its results are not what it left"
}

# machine_script FILE DISK: what an HVM guest does: its disk's last MiBs, its network.
machine_script() {
	cat >"$1" <<-END
		#!/bin/sh
		say() { echo "guest: \$*"; }
		fail() { say "FAIL: \$*"; dmesg | tail -n 40; exit 1; }
		[ -b /dev/$2 ] || fail "no /dev/$2: \$(cat /proc/partitions)"
		say "disk $2, clock \$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
		dd if=/dev/urandom of=/tmp/data bs=64k count=32 2>/dev/null
		dd if=/tmp/data of=/dev/$2 bs=64k seek=1472 oflag=direct 2>/dev/null || fail "no write"
		dd if=/dev/$2 bs=64k skip=1472 count=32 iflag=direct 2>/dev/null | cmp - /tmp/data || fail "data differs"
		say "disk ok"
		ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up || fail "no eth0"
		tries=0
		until ping -c 1 -W 1 192.0.2.1 >/dev/null; do
			tries=\$((tries + 1))
			[ \$tries -lt 30 ] || fail "no ping"
		done
		ping -c 5 192.0.2.1 >/tmp/ping || fail "pings lost: \$(cat /tmp/ping)"
		say "ping ok"
	END
}

# machine_write NAME WORDS [KEY=VALUE...]: NAME.img with Linux on it, NAME.cfg of a guest that boots it.
# A SCSI drive, for the BIOS reads an IDE one word by word, and a quiet kernel, for each letter on the
# serial port is a way through Xen to the device model and back: both take minutes without KVM.
machine_files=() # more words for lab-guest
machine_write() {
	local name=$1
	lab-guest --disk --append "$2 quiet" --script "$name.script" "${machine_files[@]}" -o "$name.img" ||
		fail "lab-guest --disk"
	cat >"$name.cfg" <<-END
		name="$name"
		type="hvm"
		memory=512
		vcpus=1
		boot="c"
		vga="none"
		serial="file:/tmp/$name.serial"
		disk=["vdev=sda,target=$name.img"]
		vif=["mac=00:16:3e:00:00:02,bridge=xenbr0"]
	END
	shift 2
	for line in "$@"; do
		echo "$line" >>"$name.cfg"
	done
}

# machine_end NAME SECONDS: wait for its end, show what its serial port said.
machine_end() {
	wait_for "$2" grep 'guest: exit' "/tmp/$1.serial" ||
		fail "$1 did not end within $2 s: $(tail -n 30 "/tmp/$1.serial")"
	wait_for 60 gone "$1" || fail "$1 is still there"
	tr -d '\r' <"/tmp/$1.serial" | grep '^guest: '
	grep -q '^guest: exit 0' "/tmp/$1.serial" || fail "$1: its script failed: $(tail -n 60 "/tmp/$1.serial")"
	! ip link show | grep -e -emu || fail "an interface stays"
}

# machine_run NAME WORDS [KEY=VALUE...]: a whole life of an HVM guest.
machine_run() {
	say "$1: make its disk"
	machine_write "$@"
	say "$1: create"
	xsplit create "$1.cfg" || fail "create: $(cat /run/xsplit/*.log)"
	xl list | grep -q "^$1 " || fail "xl list does not show $1"
	machine_end "$1" 900
}

# busy_script FILE: a guest that writes and verifies its disk until it is told to end over a TCP
# connection, on which it counts.
busy_script() {
	cat >"$1" <<-'END'
		#!/bin/sh
		say() { echo "guest: $*"; }
		fail() { say "FAIL: $*"; exit 1; }
		disk=/dev/xvdb
		[ -b $disk ] || disk=/dev/sdb
		ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up || fail "no eth0"
		tries=0
		until ping -c 1 -W 1 192.0.2.1 >/dev/null; do
			tries=$((tries + 1))
			[ $tries -lt 30 ] || fail "no ping"
		done
		mkfifo /tmp/ticks
		nc 192.0.2.1 7000 </tmp/ticks >/tmp/told &
		(i=0; while echo "tick $i"; do i=$((i + 1)); sleep 1; done) >/tmp/ticks &
		rounds=0
		until grep -q stop /tmp/told; do
			if [ -x /usr/bin/fio ]; then
				fio --name=v --filename=$disk --rw=randwrite --bs=4k --size=1M --iodepth=4 --ioengine=libaio \
					--direct=1 --verify=crc32c --verify_fatal=1 >/tmp/fio 2>&1 || { cat /tmp/fio; fail "fio in round $rounds"; }
			else
				# Not by dd: a guest that is about to suspend reads short.
				head -c 1048576 /dev/urandom >/tmp/data
				dd if=/tmp/data of=$disk bs=64k oflag=direct 2>/dev/null || fail "no write in round $rounds"
				dd if=$disk bs=64k count=16 iflag=direct 2>/dev/null | cmp - /tmp/data || fail "data differs in round $rounds"
			fi
			rounds=$((rounds + 1))
		done
		say "verified $rounds rounds"
	END
}

ticks() {
	sed -n 's/^tick //p' ticks | tail -n 1
}

# busy_start NAME: create it, and wait until it counts.
busy_start() {
	rm -f tell ticks
	mkfifo tell
	: >ticks
	busybox nc -l -p 7000 <tell >ticks &
	listener=$!
	exec 6>tell
	xsplit create "$1.cfg" || fail "create"
	wait_for 600 grep -q "tick 2" ticks || fail "$1 does not count: $(tail -n 20 /var/log/xen/guest-*.log /tmp/*.serial)"
}

more_ticks() {
	[ "$(ticks)" -gt "$1" ]
}

# busy_goes_on NAME: it still counts, on the same connection.
busy_goes_on() {
	local now
	now=$(ticks)
	wait_for 300 more_ticks $((now + 2)) || fail "$1 does not count any more at $now: $(xl list)"
	kill -0 "$listener" || fail "the connection ended"
	echo "tick $(ticks)"
}

# busy_end NAME [LOG]: tell it to end, see that all was well; LOG has its console.
busy_end() {
	local log=${2:-/var/log/xen/guest-$1.log}
	echo stop >&6
	exec 6>&-
	wait_for 120 gone "$1" || fail "$1 did not end"
	tr -d '\r' <"$log" | grep '^guest: ' | tail -n 2
	tail -n 5 "$log" | tr -d '\r' | grep -q '^guest: exit 0' || fail "$1: its script failed"
}
