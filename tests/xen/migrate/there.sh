#!/bin/bash
# The host that guests go to: an ssh server.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
ip addr del 192.0.2.1/24 dev xenbr0
ip addr add 192.0.2.3/24 dev xenbr0
ip link set eth0 master xenbr0 || fail "no eth0"
ip link set eth0 up || fail "no eth0"
mkdir -p /run/sshd /root/.ssh
echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
ssh-keygen -A >/dev/null || fail "ssh-keygen"
has_key() {
	busybox nc 192.0.2.1 7001 </dev/null >/root/.ssh/authorized_keys && [ -s /root/.ssh/authorized_keys ]
}
wait_for 300 has_key || fail "the other host does not give its key"
/usr/sbin/sshd -o UsePAM=no -o PermitRootLogin=yes -o StrictModes=no || fail "sshd"
wait_for 1400 test -e /tmp/done || fail "the other host is not done"
