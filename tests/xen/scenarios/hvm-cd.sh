#!/bin/bash
# HVM: boots from a CD-ROM, its CD is exchanged while it runs, VNC and serial ports answer.
# lab: --timeout 1200 --dom0-memory 1200
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# boot_sector WORDS: a program that says them on the first serial port, and stops.
boot_sector() {
	printf '\xe8\0\0\x5e\x83\xc6\x13\x2e\xac\x84\xc0\x74\x06\xba\xf8\x03\xee\xeb\xf4\xf4\xeb\xfd%s\r\n\0' "$1"
}

# cd_make FILE WORDS: a CD that boots it, as "El Torito" has it: boot record, catalog, program.
cd_make() {
	truncate -s 1M "$1"
	local at put="dd of=$1 bs=1 conv=notrunc status=none"
	at=$((17 * 2048))
	printf '\0CD001\1EL TORITO SPECIFICATION' | $put seek=$at
	printf '\x13' | $put seek=$((at + 0x47))
	at=$((19 * 2048))
	printf '\1' | $put seek=$at
	printf '\x55\xaa\x88\0\0\0\0\0\4\0\x14' | $put seek=$((at + 0x1e))
	boot_sector "$2" | $put seek=$((20 * 2048))
}

# machine NAME BOOT [KEY=VALUE...]: one with a CD-ROM drive that boots so.
machine() {
	local name=$1
	cat >"$name.cfg" <<-END
		name="$name"
		type="hvm"
		memory=128
		boot="$2"
		serial=["file:/tmp/$name.serial", "pty"]
		vif=["mac=00:16:3e:00:00:02,bridge=xenbr0"]
	END
	shift 2
	for line in "$@"; do
		echo "$line" >>"$name.cfg"
	done
	xsplit create "$name.cfg" || fail "create"
	model=$(xenstore-read "/local/domain/$(xsplit domid "$name")/image/device-model-pid")
}

# holds FILE: the device model has it open.
holds() {
	readlink "/proc/$model"/fd/* | grep -q "/$1\$"
}

host_start
cd_make first.iso "booted from CD"
cd_make second.iso "booted from another CD"
say "boot from a CD"
machine cd d 'disk=["vdev=hdc,cdrom,target=first.iso"]'
wait_for 600 grep "booted from CD" /tmp/cd.serial || fail "no boot from CD: $(cat /tmp/cd.serial)"
cat /tmp/cd.serial
holds first.iso || fail "the device model has not its CD"

say "VNC and the other serial port"
port=$(xenstore-read "/local/domain/$(xsplit domid cd)/console/vnc-port")
(sleep 3) | busybox nc 127.0.0.1 "$port" | head -c 11 >rfb
grep -q '^RFB 003' rfb || fail "no VNC server at port $port: $(cat rfb)"
cat rfb
echo " at $port"
printf '#!/bin/sh\necho "$@"\n' >/usr/local/bin/vncviewer
chmod +x /usr/local/bin/vncviewer
[ "$(xsplit vncviewer --autopass cd)" = "127.0.0.1::$port" ] || fail "the viewer: $(xsplit vncviewer --autopass cd)"
tty=$(xenstore-read "/local/domain/$(xsplit domid cd)/serial/1/tty")
[ -c "$tty" ] || fail "no serial port"
echo "serial port 1 is $tty"

say "its CD is exchanged"
xsplit cd-eject cd hdc || fail "eject"
! holds first.iso || fail "the device model keeps the CD"
xsplit cd-insert cd hdc second.iso || fail "insert"
holds second.iso || fail "the device model has not the new CD"
xsplit block-list cd
! xsplit cd-insert cd hdc missing.iso 2>error || fail "inserted nothing"
cat error
holds second.iso || fail "a CD that is missing took the other away"
say "its backend refuses one"
nbdkit --ipaddr 127.0.0.1 --filter=limit file first.iso limit=1 || fail "nbdkit"
! xsplit cd-insert cd hdc nbd://127.0.0.1/ 2>error || fail "inserted what the device model alone can have"
cat error
! grep -q "all the same" error || fail "the medium before does not come back"
holds second.iso || fail "a CD that is refused took the other away"
xsplit cd-insert cd hdc first.iso || fail "insert"
holds first.iso || fail "the device model has not its first CD"
xsplit destroy cd || fail "destroy"

say "an empty drive, filled later"
machine empty d 'disk=["vdev=hdc,devtype=cdrom,target="]'
xsplit cd-insert empty hdc first.iso || fail "insert"
holds first.iso || fail "the device model has not its CD"
xsplit destroy empty || fail "destroy"

! ip link show | grep -e -emu || fail "an interface stays"
