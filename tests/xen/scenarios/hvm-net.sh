#!/bin/bash
# HVM: boots over the network, by the emulated card's iPXE: DHCP and HTTP from dom0.
# lab: --timeout 1200 --dom0-memory 1200
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

# boot_sector WORDS: a program that says them on the first serial port, and stops.
boot_sector() {
	printf '\xe8\0\0\x5e\x83\xc6\x13\x2e\xac\x84\xc0\x74\x06\xba\xf8\x03\xee\xeb\xf4\xf4\xeb\xfd%s\r\n\0' "$1"
}

host_start
mkdir -p www
boot_sector "booted over the network" >www/boot
busybox httpd -p 192.0.2.1:80 -h "$PWD/www" || fail "httpd"
cat >udhcpd.conf <<-END
	interface xenbr0
	start 192.0.2.100
	end 192.0.2.110
	lease_file $PWD/leases
	pidfile $PWD/udhcpd.pid
	siaddr 192.0.2.1
	boot_file http://192.0.2.1/boot
	option subnet 255.255.255.0
END
: >leases
busybox udhcpd -f udhcpd.conf >udhcpd.log 2>&1 &
# Without a graphics card: each letter of iPXE's on it takes a way to the device model.
cat >net.cfg <<-END
	name="net"
	type="hvm"
	memory=128
	boot="n"
	vga="none"
	serial="file:/tmp/net.serial"
	vif=["mac=00:16:3e:00:00:02,bridge=xenbr0"]
END
xsplit create net.cfg || fail "create"
wait_for 600 grep "booted over the network" /tmp/net.serial ||
	fail "no boot over the network: $(cat udhcpd.log; ip -s link show)"
cat /tmp/net.serial
xsplit destroy net || fail "destroy"
! ip link show | grep -e -emu || fail "an interface stays"
