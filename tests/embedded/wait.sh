# Sourced by what the tests of a kind share; they define fail.
# shellcheck shell=sh

wait_for() { # seconds command...
	tries=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "waited in vain for: $*"
		sleep 0.05
	done
}
