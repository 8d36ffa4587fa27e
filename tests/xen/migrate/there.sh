#!/bin/bash
# The host that guests go to: an ssh server.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
ip addr del 192.0.2.1/24 dev xenbr0
ip addr add 192.0.2.3/24 dev xenbr0
modprobe virtio_net || fail "no virtio_net"
wait_for 20 ip link show eth0 || fail "no eth0"
ip link set eth0 master xenbr0 || fail "no eth0"
ip link set eth0 up || fail "no eth0"
mkdir -p /run/sshd /root/.ssh
echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key || fail "ssh-keygen"
has_key() {
	busybox wget -q -O /root/.ssh/authorized_keys http://192.0.2.1:7001/key.pub
}
wait_for 300 has_key || fail "the other host does not give its key"
/usr/sbin/sshd -f /dev/null -o PermitRootLogin=yes -o StrictModes=no || fail "sshd"
wait_for 2400 test -e /tmp/done || fail "the other host is not done"
