# shellcheck shell=bash disable=SC2154,SC2054
# One run of the lab: a machine of QEMU's with Xen and dom0 in it.

lab_options() {
	store=ours bare='' timeout=600 smp=2 vcpus=1 memory=3072 dom0_memory=1024
	xen_args='' dom0_args='' qemu_args='' iommu='' keep_log='' shell='' size='' counted=''
	words=()
	while [ $# -gt 0 ]; do
		case $1 in
		--bare) bare=1 ;;
		--counted) counted=1 ;;
		--store | --timeout | --smp | --vcpus | --memory | --dom0-memory | --xen | --dom0-args | --qemu | --iommu | --keep-log)
			if [ $# -lt 2 ]; then
				echo "lab: $1 needs a value" >&2
				return 2
			fi
			case $1 in
			--store) store=$2 ;;
			--timeout) timeout=$2 ;;
			--smp) smp=$2 ;;
			--vcpus) vcpus=$2 ;;
			--memory) memory=$2 ;;
			--dom0-memory) dom0_memory=$2 ;;
			--xen) xen_args=$2 ;;
			--dom0-args) dom0_args=$2 ;;
			--qemu) qemu_args=$2 ;;
			--iommu) iommu=$2 ;;
			--keep-log) keep_log=$2 ;;
			esac
			shift
			;;
		--*)
			echo "lab: unknown option $1" >&2
			return 2
			;;
		*) words+=("$1") ;;
		esac
		shift
	done
	case $store in
	ours | c | ocaml) ;;
	*)
		echo "lab: --store $store: it is ours, c or ocaml" >&2
		return 2
		;;
	esac
	case $iommu in
	'' | amd | vtd) ;;
	*)
		echo "lab: --iommu $iommu: it is amd or vtd" >&2
		return 2
		;;
	esac
	lab_words_check
}

# Before a boot of half a minute: the script and what is to lie beside it.
lab_words_check() {
	local f
	for f in "${words[@]}"; do
		[ ! -r "$f" ] || continue
		echo "lab: $f: no such file, or not to be read; give paths from here" >&2
		return 2
	done
	[ ${#words[@]} -eq 0 ] || [ -f "${words[0]}" ] || {
		echo "lab: ${words[0]}: is no file; the script comes before what lies beside it" >&2
		return 2
	}
}

# Every library that our programs need must be in dom0's root: else they don't start there.
lab_libraries_check() { # tree
	local library
	find "$1" -type f -perm /111 ! -path '*/embedded/*' -exec readelf -d {} + 2>/dev/null |
		sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort -u | while read -r library; do
		if [ -z "$(ls "$lab"/root/{,usr/}lib{/x86_64-linux-gnu,64}/"$library" 2>/dev/null)" ]; then
			lab_say "our programs need $library, which dom0 has not: add its package to lab_packages in tests/xen/parts/build.sh"
			return 1
		fi
	done
}

# What this run brings: our build, the script and its files, one tar on a disk of its own.
lab_run_disk() { # dir
	local tree=$1/tree f
	mkdir -p "$tree/lab/run" "$tree/lab/results"
	( # one make at a time in a build folder; named as make itself does, so that it knows its objects again
		flock 9
		make -C "$top" -j"$(nproc)" --no-print-directory -s BUILD="$(realpath --relative-base="$top" "$build")" \
			DESTDIR="$tree" PREFIX=/usr/local install 9>&- >&2
	) 9>"$lab/lock" || return 1
	lab_libraries_check "$tree" || return 1
	cp "$here/parts/init-dom0" "$tree/lab/init"
	for f in "$here"/guest/*; do
		[ -e "$f" ] && install -D "$f" "$tree/usr/local/bin/${f##*/}"
	done
	if [ ${#words[@]} -gt 0 ]; then
		cp "${words[0]}" "$tree/lab/run/script"
		for f in "${words[@]:1}"; do
			cp -r "$f" "$tree/lab/run/"
		done
	fi
	cat >"$tree/lab/settings" <<-END
		LAB_STORE=$store
		LAB_BARE=$bare
		LAB_SHELL=$shell
		LAB_SIZE="$size"
	END
	tar -C "$tree" --owner=0 --group=0 -cf "$1/run.tar" lab usr
	truncate -s %512 "$1/run.tar"
}

lab_machine() {
	local accel="tcg,thread=multi" cpu="qemu64,+svm,+npt" machine=q35 extra=()
	if [ -w /dev/kvm ] && grep -qE 'svm|vmx' /proc/cpuinfo; then
		accel=kvm cpu=host
	fi
	if [ -n "$counted" ]; then
		accel=tcg,thread=single cpu="qemu64,+svm,+npt"
		extra=(-icount shift=1,sleep=off)
	fi
	case $iommu in
	amd) extra+=(-device amd-iommu) ;;
	vtd)
		machine=q35,kernel-irqchip=split
		extra+=(-device intel-iommu,intremap=on,eim=off)
		;;
	esac
	# A comma inside a module's command line is doubled.
	local dom0_line="console=hvc0 earlyprintk=xen panic=1 oops=panic net.ifnames=0 $dom0_args"
	qemu=(qemu-system-x86_64 -machine "$machine" -accel "$accel" -cpu "$cpu" -smp "$smp" -m "$memory"
		-display none -nodefaults -no-reboot "${extra[@]}"
		-kernel "$lab/xen"
		-append "dom0_mem=${dom0_memory}M,max:${dom0_memory}M dom0_max_vcpus=$vcpus console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all cpuidle=0 $xen_args"
		-initrd "$lab/vmlinuz ${dom0_line//,/,,},$lab/initrd.img"
		-drive "file=$lab/root.img,if=none,id=root,format=raw,readonly=on" -device virtio-blk-pci,drive=root
		-drive "file=$dir/run.tar,if=none,id=run,format=raw,snapshot=on" -device virtio-blk-pci,drive=run
		-device virtio-serial-pci
		-chardev "file,id=code,path=$dir/code" -device virtserialport,chardev=code,name=lab.code
		-serial "file:$dir/console")
	# shellcheck disable=SC2206
	qemu+=($qemu_args)
}

lab_boot_prepare() {
	lab_build || return 1
	dir=$(mktemp -d "${TMPDIR:-/tmp}/xsplit-lab.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	lab_run_disk "$dir" || return 1
	lab_machine
}

# lab_follow: say what the machine has come to, from its console.
lab_follow() {
	local line started=$SECONDS
	while read -r line; do
		case $line in
		"(XEN) Xen version"*) line="Xen runs" ;;
		*"Linux version"*) line="dom0's kernel runs" ;;
		"lab: "*) line=${line#lab: } ;;
		*) continue ;;
		esac
		lab_say "${line%$'\r'} ($((SECONDS - started)) s)"
	done
}

# Run the machine to its end, its output (the script's) to ours. Return: timeout's status; 130 when we
# were told to end, and ended it.
lab_machine_run() {
	local rc=0 out machine follower
	mkfifo "$dir/out"
	: >"$dir/console"
	cat "$dir/out" &
	out=$!
	tail -n +1 -s 0.3 -f "$dir/console" > >(lab_follow) &
	follower=$!
	# A chardev of the kind "file" never counts as hung up; through a pipe it can be any standard output.
	timeout -k 5 "$timeout" "${qemu[@]}" -chardev file,id=out,path=/dev/stdout,append=on \
		-device virtserialport,chardev=out,name=lab.out </dev/null >"$dir/out" &
	machine=$!
	trap 'interrupted=1; kill "$machine" 2>/dev/null' INT TERM HUP
	interrupted=''
	wait "$machine" || rc=$?
	[ -z "$interrupted" ] || { wait "$machine" || :; rc=130; }
	trap - INT TERM HUP
	wait "$out"
	kill "$follower"
	return "$rc"
}

lab_run() {
	local rc=0 code
	lab_options "$@" || return
	if [ ${#words[@]} -eq 0 ]; then
		echo "lab: run needs a script" >&2
		return 2
	fi
	lab_boot_prepare || return 125
	lab_say "booting Xen and dom0, store $store; half a minute without KVM"
	lab_machine_run || rc=$?
	[ -z "$keep_log" ] || cp "$dir/console" "$keep_log"
	[ "$rc" -ne 130 ] || return 130
	code=$(tr -d '\r\n' <"$dir/code" 2>/dev/null || true)
	if [ -n "$code" ]; then
		return "$code"
	fi
	lab_say "$([ "$rc" -eq 124 ] && echo "no end within $timeout s" || echo "Xen or dom0 died"); the console's tail:"
	tail -n 60 "$dir/console" | tr -d '\r' >&2
	[ "$rc" -eq 124 ] && return 124
	return 125
}

lab_shell() {
	local saved
	lab_options "$@" || return
	if ! [ -t 0 ]; then
		echo "lab: shell needs a terminal; for a script there is run" >&2
		return 2
	fi
	shell=1 size=$(stty size | sed 's/\(.*\) \(.*\)/rows \1 cols \2/')
	lab_boot_prepare || return 125
	saved=$(stty -g)
	lab_say "booting; leave with exit or Ctrl-A x"
	stty raw -echo
	"${qemu[@]}" -chardev stdio,id=out,mux=on,signal=off -device virtserialport,chardev=out,name=lab.out || true
	stty "$saved"
	[ -z "$keep_log" ] || cp "$dir/console" "$keep_log"
}
