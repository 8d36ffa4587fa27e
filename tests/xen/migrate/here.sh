#!/bin/bash
# The host that guests come from: it serves the disk to both, and is the guests' peer over TCP.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

other=192.0.2.3

host_start
modprobe virtio_net || fail "no virtio_net"
wait_for 20 ip link show eth0 || fail "no eth0"
ip link set eth0 master xenbr0 || fail "no eth0"
ip link set eth0 up || fail "no eth0"
truncate -s 64M shared.img
nbdkit --ipaddr 192.0.2.1 file shared.img || fail "nbdkit"
ssh-keygen -q -t ed25519 -N '' -f /root/key || fail "ssh-keygen"
mkdir www
cp /root/key.pub www/
busybox httpd -p 192.0.2.1:7001 -h "$PWD/www" || fail "httpd"
shell="ssh -i /root/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -o LogLevel=ERROR"
there() {
	$shell $other "$@"
}
say "the other host"
wait_for 300 there true || fail "no ssh to $other"

busy_script busy.script
cp busy.script hvm.script
for type in pvh pv hvm; do
	say "$type: migrate, verifying its disk"
	if [ "$type" = hvm ]; then
		machine_write hvm "console=ttyS0 console=hvc0" "memory=256" \
			'disk=["vdev=sda,target=nbd://192.0.2.1:10810/", "vdev=sdb,target=nbd://192.0.2.1/"]'
		nbdkit --ipaddr 192.0.2.1 --port 10810 file hvm.img || fail "nbdkit"
	else
		lab-guest --script busy.script --with fio -o "$type.initrd" || fail "lab-guest"
		cat >"$type.cfg" <<-END
			name="$type"
			type="$type"
			kernel="/lab/guest/vmlinuz"
			ramdisk="$type.initrd"
			extra="console=hvc0 quiet"
			memory=360
			disk=["vdev=xvdb,target=nbd://192.0.2.1/"]
			vif=["mac=00:16:3e:00:00:02,bridge=xenbr0"]
		END
	fi
	busy_start "$type"
	rm -f "$type.initrd"
	domid=$(xsplit domid "$type")
	{ cat "$type.cfg" && echo 'on_crash="preserve"'; } >other.cfg
	xsplit migrate -D -C other.cfg -s "$shell" "$type" $other || fail "migrate"
	gone "$type" || fail "it is still here"
	[ "$(there xsplit domid "$type")" = "$domid" ] || fail "it is not there, or not domain $domid"
	there xsplit list -l --json "$type" | grep '"on_crash": "preserve"' || fail "not the other config"
	busy_goes_on "$type"
	say "$type: a migration that fails"
	! there "xsplit migrate -s '' $type false" || fail "migrated to nowhere"
	busy_goes_on "$type"
	echo stop >&6
	exec 6>&-
	wait_for 120 sh -c "! $shell $other xsplit domid $type" || fail "$type did not end"
	there "tr -d '\r' </var/log/xen/guest-$type.log" | grep '^guest: '
	there "grep -q '^guest: exit 0' /var/log/xen/guest-$type.log" || fail "$type: its script failed"
done
there touch /tmp/done
