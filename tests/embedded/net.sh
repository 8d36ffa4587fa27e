# Sourced by tests/embedded/net-*.test: a bridge in dom0 and guests behind it. Each test runs itself
# again inside a fresh embedded host.
# shellcheck shell=sh

set -eu
host_ip=192.0.2.1 guest_ip=192.0.2.2
vif=/local/domain/0/backend/vif

fail() {
	echo "$0: $1" >&2
	exit 1
}

# shellcheck source=tests/embedded/wait.sh
. "$(dirname "$0")/wait.sh"

# Is this node's value that one?
node_is() { # path value
	[ "$(xenstore-read "$1" 2>/dev/null)" = "$2" ]
}

no_interface() {
	! ip link show "$1" >/dev/null 2>&1
}

# The test, from outside: into a host of its own, or skipped.
enter() { # script arguments...
	if [ "${2:-}" = --inside ]; then
		return
	fi
	if ! [ -r /dev/net/tun ] || ! [ -w /dev/net/tun ]; then
		echo "no /dev/net/tun here (modprobe tun)"
		exit 77
	fi
	exec "$BUILD/bin/xsplit-embedded" -- "$1" --inside
}

bridge_make() {
	if ! ip link add xenbr0 type bridge; then
		echo "this kernel makes no bridge (modprobe bridge)"
		exit 77
	fi
	ip addr add "$host_ip/24" dev xenbr0
	ip -6 addr add 2001:db8::1/64 dev xenbr0 nodad
	ip link set xenbr0 up
}

# A guest with our frontend, its eth0 at $guest_ip. Sets domid.
guest_make() { # name vif-specification
	config=$(mktemp)
	cat >"$config" <<-END
		name = "$1"
		type = "process"
		kernel = "$BUILD/bin/xsplit-guest"
		cmdline = "ip=$guest_ip/24"
		memory = 64
		vif = [ "$2" ]
	END
	xsplit create "$config" || fail "xsplit create"
	rm -f "$config"
	domid=$(xsplit domid "$1")
}

# A guest whose nodes and states we write ourselves. Sets domid, front, back.
puppet_make() { # name vif-specification
	config=$(mktemp)
	cat >"$config" <<-END
		name = "$1"
		type = "process"
		kernel = "/bin/sleep"
		cmdline = "1000"
		memory = 16
		vif = [ "$2" ]
	END
	xsplit create "$config" || fail "xsplit create"
	rm -f "$config"
	domid=$(xsplit domid "$1")
	front=/local/domain/$domid/device/vif/0 back=$vif/$domid/0
	wait_for 5 node_is "$back/state" 2
}

in_guest() {
	xsplit-embedded exec "$domid" "$@"
}
