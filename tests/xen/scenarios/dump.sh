#!/bin/bash
# The memory of PV and PVH guests in a file: xl's very bytes, in seconds, on request and after a crash.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

cat >core.py <<'END_OF_PYTHON'
# The sections of a core and their sizes; how many places its table has, and that they ascend.
import struct, sys
core = open(sys.argv[1], "rb")
def at(place, form):
    core.seek(place)
    return struct.unpack(form, core.read(struct.calcsize(form)))
head = at(0, "<16sHHIQQQIHHHHHH")
assert head[0][:6] == b"\x7fELF\2\1" and head[1] == 4, "no ELF core"
sections = [at(head[6] + n * head[11], "<IIQQQQIIQQ") for n in range(head[12])]
names = at(sections[head[13]][4], "%ds" % sections[head[13]][5])[0]
for name, type, flags, address, place, size, link, info, alignment, entry in sections[1:]:
    word = names[name:names.index(b"\0", name)].decode()
    if word in (".xen_p2m", ".xen_pfn"):
        pfns = [n[0] for n in struct.iter_unpack("<Q%dx" % (entry - 8), at(place, "%ds" % size)[0])]
        there = [pfn for pfn in pfns if pfn != 2 ** 64 - 1]
        assert there == sorted(set(there)) and pfns[len(there):] == [2 ** 64 - 1] * (len(pfns) - len(there)), "places"
        print("%s %d of %d" % (word, len(there), len(pfns)))
    else:
        print(word, size)
END_OF_PYTHON

# core_check NAME FILE: its sections, and what the guest had in its memory.
core_check() {
	local name=$1 file=$2 pages
	python3 core.py "$file" >"$name.sections" || fail "$file is no core"
	tr '\n' ';' <"$name.sections" && echo
	pages=$(sed -n 's/^\.xen_pages //p' "$name.sections")
	[ "$((pages >> 20))" -ge 190 ] || fail "$file has $pages bytes of pages"
	sed 's/ .*//' "$name.sections" | tr '\n' ' ' | grep -qxE \
		'\.shstrtab \.note\.Xen \.xen_prstatus (\.xen_shared_info )?\.xen_pages \.xen_(p2m|pfn) ' || fail "other sections"
	# What lies among a PVH guest's devices has no place in a core.
	awk '$3 == "of" { few = $4 - $2 < 64 } END { exit !few }' "$name.sections" || fail "pages are missing"
	grep -q "mark-in-memory-42ed" "$file" || fail "what the guest has in its memory is not in $file"
}

state_of() {
	xl list "$1" | awk 'NR == 2 { print $5 }'
}

host_start
cat >dump.script <<-'END'
	#!/bin/sh
	echo 1 >/proc/sys/kernel/sysrq
	printf 'mark-in-memory-%sed' "$((41 + 1))" >/dev/marked
	echo "guest: up"
	while :; do sleep 1; done
	END
lab-guest --script dump.script -o dump.initrd || fail "lab-guest"
for type in pv pvh; do
	# Without devices: whoever serves them writes to a paused guest's memory too.
	cat >"$type.cfg" <<-END
		name="$type"
		type="$type"
		kernel="/lab/guest/vmlinuz"
		ramdisk="dump.initrd"
		extra="console=hvc0 quiet"
		memory=192
		vcpus=$([ "$type" = pv ] && echo 1 || echo 2)
		on_crash="coredump-destroy"
	END
	xsplit create "$type.cfg" || fail "create"
	wait_for 300 grep "^guest: up" "/var/log/xen/guest-$type.log" || fail "it does not come up"

	say "$type: dumped while it runs, on a terminal"
	begun=${EPOCHREALTIME/./}
	script -qec "xsplit dump-core $type $type.core" /dev/null >shown </dev/null || fail "dump-core: $(cat shown)"
	echo "$(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
	tr '\r' '\n' <shown | grep -q "Dumping: writing its memory: .*% of" || fail "no progress: $(cat shown)"
	core_check "$type" "$type.core"
	case $(state_of "$type") in *p*) fail "it stays paused" ;; esac
	! xsplit dump-core "$type" "$type.core" 2>error || fail "it overwrites a file"
	rm "$type.core"

	say "$type: dumped while it stands still, as JSON"
	xsplit pause "$type"
	sleep 2 # the last timer marks its interrupt in the guest's memory
	script -qec "xsplit dump-core --json $type $type.core" /dev/null >shown </dev/null || fail "dump-core: $(cat shown)"
	[ "$(tr -d '\r\n' <shown)" = "{}" ] || fail "beside JSON: $(cat shown)"
	case $(state_of "$type") in *p*) ;; *) fail "it runs" ;; esac
	if [ "$type" = pv ]; then
		begun=${EPOCHREALTIME/./}
		xl dump-core "$type" "$type.xl" || fail "xl dump-core"
		echo "xl: $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
		busybox cmp "$type.core" "$type.xl" || fail "xl's is another"
	fi
	rm -f "$type.core" "$type.xl"
	xsplit unpause "$type"

	say "$type: it crashes"
	xsplit sysrq "$type" c
	wait_for 120 gone "$type" || fail "$type is still there"
	core=/var/lib/xen/dump/$type
	[ -s "$core" ] || fail "no dump: $(ls -l /var/lib/xen/dump)"
	core_check "$type" "$core"
	rm "$core"
done
