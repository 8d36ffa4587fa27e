# shellcheck shell=sh disable=SC2034 # $disk is for the tests
# What the guest-*.test scripts share. Each is run twice: outside it starts an embedded host with itself
# as the command, inside (with "inside" as its first word) it is the test, in a directory of its own.

guest_host() { # "$0" "$@"; $host_options are for the host
	[ "${2:-}" = inside ] && return
	self=$(realpath "$1")
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	rc=0
	# shellcheck disable=SC2086 # several words
	(cd "$scratch" && "$BUILD/bin/xsplit-embedded" ${host_options:-} -- sh -eu "$self" inside) || rc=$?
	exit "$rc"
}

fail() {
	echo "$*" >&2
	cat "$XSPLIT_RUNDIR"/../../dom*/console "$XSPLIT_RUNDIR"/../../log/* >&2 || true
	exit 1
}

# shellcheck source=tests/embedded/wait.sh
. "$(dirname "$0")/wait.sh"

sum_of() {
	sha256sum | cut -d' ' -f1
}

bridge_make() {
	[ -c /dev/net/tun ] || {
		echo "no /dev/net/tun"
		exit 77
	}
	ip link add xenbr0 type bridge
	ip addr add 192.0.2.1/24 dev xenbr0
	ip -6 addr add 2001:db8::1/64 dev xenbr0 nodad
	ip link set xenbr0 up
}

guest_create() { # line-of-config...
	{
		printf '%s\n' 'name = "g"' 'type = "process"' 'memory = 64' \
			"kernel = \"$BUILD/bin/xsplit-guest\"" "$@"
	} >g.cfg
	xsplit create g.cfg >create.log 2>&1 || {
		cat create.log >&2
		fail "xsplit create failed"
	}
	domid=$(xsplit domid g)
}

console_says() { # pattern
	grep -q -- "$1" "$XSPLIT_RUNDIR/../../dom$domid/console"
}

disk_wait() { # vdev-number; sets $disk
	wait_for 10 xenstore-read "/local/domain/$domid/data/nbd/$1"
	disk="nbd+unix:///?socket=$(xenstore-read "/local/domain/$domid/data/nbd/$1")"
}

disk_gone() { # vdev-number
	! xenstore-read "/local/domain/$domid/data/nbd/$1"
}

state_is() { # path state
	[ "$(xenstore-read "$1/state" 2>/dev/null)" = "$2" ]
}

in_guest() {
	xsplit-embedded exec "$domid" "$@"
}
