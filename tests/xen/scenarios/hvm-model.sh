#!/bin/bash
# HVM: the device model is confined as the documents say; an ELF file runs in hvmloader's place, nothing else is taken for one.
# files: kernel/xsplit-kernel tests/bin/restricted
# lab: --dom0-memory 1200
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# is WHAT EXPECTED GOT
is() {
	[ "$2" = "$3" ] || fail "the device model's $1: $3 instead of $2"
}

status() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$model/status" | tr -s '\t' ' '
}

# differs NAMESPACE: it is not dom0's.
differs() {
	[ "$(readlink "/proc/$model/ns/$1")" != "$(readlink "/proc/1/ns/$1")" ] || fail "it is in dom0's $1 namespace"
}

# confined DOMID UID: docs/security.md, line by line.
confined() {
	local set
	model=$(xenstore-read "/local/domain/$1/image/device-model-pid")
	say "device model of domain $1: process $model"
	is "user" "$2 $2 $2 $2" "$(status Uid)"
	is "group" "$2 $2 $2 $2" "$(status Gid)"
	is "other groups" "$2" "$(status Groups | xargs)"
	for set in CapInh CapPrm CapEff CapAmb; do
		is $set 0000000000000000 "$(status $set)"
	done
	is "new privileges" 1 "$(status NoNewPrivs)"
	is "system call filter" 2 "$(status Seccomp)"
	is "core dumps" "0 0" "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$model/limits")"
	differs mnt
	differs ipc
	is "root" "/run/xsplit/model-$1.root" "$(readlink "/proc/$model/root")"
	is "working directory" "/run/xsplit/model-$1.root" "$(readlink "/proc/$model/cwd")"
	is "root's owner and mode" "0 0 0" "$(stat -c '%u %g %a' "/run/xsplit/model-$1.root")"
	is "root's contents" "" "$(ls -A "/proc/$model/root/")"
	./restricted "$model" || fail "what it may ask of Xen"
	! readlink "/proc/$model"/fd/* | grep -E '^/dev/(mem|kmem|port|xen/gntdev|xen/xenbus)|xenstored/socket' ||
		fail "it keeps more open than it needs"
}

host_start
truncate -s 8M model.img
cat >model.cfg <<-END
	name="model"
	type="hvm"
	memory=64
	vga="none"
	serial="file:/tmp/model.serial"
	disk=["vdev=hda,target=model.img"]
	vif=["mac=00:16:3e:00:00:02,bridge=xenbr0"]
END
xsplit create model.cfg || fail "create"
domid=$(xsplit domid model)
confined "$domid" $((1900000000 + domid))
xsplit destroy model || fail "destroy"
[ ! -e "/proc/$model" ] || fail "its device model stays"
[ ! -e "/run/xsplit/model-$domid.root" ] || fail "the root of its device model stays"

say "users of libxl's range, and one of its own"
echo "xen-qemuuser-range-base:x:70000:70000::/:/usr/sbin/nologin" >>/etc/passwd
echo "models:x:60000:60000::/:/usr/sbin/nologin" >>/etc/passwd
xsplit create model.cfg || fail "create"
domid=$(xsplit domid model)
model=$(xenstore-read "/local/domain/$domid/image/device-model-pid")
is "user" "$((70000 + domid))" "$(status Uid | cut -d' ' -f1)"
is "group" 70000 "$(status Gid | cut -d' ' -f1)"
xsplit destroy model || fail "destroy"
xsplit create model.cfg device_model_user=models || fail "create"
domid=$(xsplit domid model)
confined "$domid" 60000
xsplit destroy model || fail "destroy"

say "firmware_override"
echo "no program" >text
for how in create "create -n"; do
	# shellcheck disable=SC2086 # two words
	! xsplit $how model.cfg firmware_override="$PWD/text" 2>error || fail "$how took a text for a firmware"
	cat error
	is "firmware" "xsplit: command line: firmware_override $PWD/text: is no ELF file, as hvmloader and kernels in its place are; correct the path" \
		"$(cat error)"
done
head -c 64 xsplit-kernel >half
! xsplit create model.cfg firmware_override="$PWD/half" 2>error || fail "half an ELF file runs"
cat error
gone model || fail "half an ELF file leaves a domain"
cp xsplit-kernel kernel
at=$(grep -abo -m1 'xsplit-command-line:' kernel | cut -d: -f1)
printf 'xsplit-command-line:tests=base\0' | dd of=kernel bs=1 seek="$at" conv=notrunc 2>/dev/null
rm -f /var/log/xen/guest-model.log
xsplit create model.cfg firmware_override="$PWD/kernel" 'on_poweroff="destroy"' || fail "create"
wait_for 200 grep -a '^Test result: SUCCESS' /var/log/xen/guest-model.log || fail "$(tail /var/log/xen/guest-model.log)"
tr -d '\r' </var/log/xen/guest-model.log | grep -a -e '^xsplit' -e '^Test result'
wait_for 60 gone model || fail "it does not end"
xsplit doctor || fail "xsplit doctor is not content"
wait_for 20 kernel_forgot || fail "dom0's kernel still has $(ls /sys/bus/xen-backend/devices)"
no_kernel_backend
