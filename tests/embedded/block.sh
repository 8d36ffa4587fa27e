# Sourced by tests/embedded/block-*.test: guests with disks. Each test runs itself again inside a
# fresh embedded host, in an empty directory.
# shellcheck shell=sh

set -eu
vbd=/local/domain/0/backend/vbd
xvda=51712 xvdb=51728

fail() {
	echo "$0: $1" >&2
	exit 1
}

# shellcheck source=tests/embedded/wait.sh
. "$(dirname "$0")/wait.sh"

# The test, from outside: into a host of its own. The backend's log is then ./host/log/xsplit-backend.
enter() { # script arguments...
	if [ "${2:-}" = --inside ]; then
		return
	fi
	script=$(realpath "$1")
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	cd "$dir"
	rc=0
	"$BUILD/bin/xsplit-embedded" --keep "$dir/host" -- "$script" --inside || rc=$?
	if [ "$rc" -ne 0 ]; then
		tail -n 20 "$dir"/host/log/* "$dir"/host/dom*/console 2>/dev/null || true
	fi
	exit "$rc"
}

node() { # path
	xenstore-read "$1" 2>/dev/null || true
}

node_is() { # path value
	[ "$(node "$1")" = "$2" ]
}

logged() { # pattern
	grep -q -- "$1" host/log/xsplit-backend
}

create() { # name kernel cmdline disk...
	{
		echo "name = \"$1\""
		echo 'type = "process"'
		echo 'memory = 64'
		echo "kernel = \"$2\""
		echo "cmdline = \"$3\""
		shift 3
		printf 'disk = ['
		printf ' "%s",' "$@"
		echo ' ]'
	} >config
	xsplit create config
}

# A guest with our frontend; its disk as an NBD address in $uri.
guest_make() { # name disk...
	name=$1
	shift
	create "$name" "$BUILD/bin/xsplit-guest" "" "$@"
	domid=$(xsplit domid "$name")
	wait_for 10 xenstore-exists "/local/domain/$domid/data/nbd/$xvda"
	uri="nbd+unix:///?socket=$(node "/local/domain/$domid/data/nbd/$xvda")"
}

# A guest whose frontend is tests/embedded/block-frontend.c, a case at a time.
puppet_make() { # name disk...
	name=$1
	shift
	create "$name" /bin/sleep 1000 "$@"
	domid=$(xsplit domid "$name")
	wait_for 5 node_is "$vbd/$domid/$xvda/state" 2
	wait_for 5 test -S "host/dom$domid/xenbus"
}

try() { # case [devid]
	xsplit-embedded exec "$domid" "$BUILD/tests/bin/block-frontend" "$@"
}

workers() { # domid
	pgrep -f -- "xsplit-backend --worker $1"
}

# fio writes to $uri and verifies, over and over, while COMMAND is run $rounds times; it fails when nothing
# was there to be hit. The longest that a request took is in $longest, in ms.
fio_while() { # seconds-between command
	pause=$1 command=$2
	rm -f hit
	{
		round=0
		while [ "$round" -lt "$rounds" ]; do
			sleep "$pause"
			"$command" && round=$((round + 1))
		done
		touch hit
	} 2>/dev/null &
	hitter=$!
	runs=0 longest=0
	until [ -e hit ]; do
		kill -0 $hitter 2>/dev/null || [ -e hit ] || fail "$command has failed"
		runs=$((runs + 1))
		fio --name=verify --ioengine=nbd --uri="$uri" --rw=randwrite --bsrange=512-256k --ba=512 \
			--size=64M --iodepth=32 --verify=crc32c --verify_backlog=512 --fsync=64 \
			--randseed="$runs" --output-format=json --output=fio.json || {
			cat fio.json
			fail "fio, run $runs"
		}
		longest=$(jq --argjson longest "$longest" \
			'[$longest, (.jobs[0] | .read, .write | .clat_ns.max / 1000000 | ceil)] | max' fio.json)
	done
	wait $hitter
	node_is "$vbd/$domid/$xvda/state" 4 || fail "the disk is not connected any more"
	if xenstore-exists "/local/domain/0/error/backend/vbd/$domid/$xvda"; then
		fail "an error was reported"
	fi
}
