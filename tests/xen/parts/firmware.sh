# shellcheck shell=bash disable=SC2154
# OVMF that knows Xen: EDK II keeps it in a platform of its own (OvmfXen), which Debian's package ovmf has not, but its source.

lab_edk2_apt() { # apt-get words...
	apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$lab/edk2/sources" -o Dir::State="$lab/edk2/state" \
		-o Dir::Cache="$lab/edk2/cache" -o Dir::State::status=/var/lib/dpkg/status -o APT::Sandbox::User="$(id -un)" "$@"
}

lab_edk2_fetch() {
	local list=$lab/apt/one-line.list stanzas=$lab/apt/stanzas.sources
	rm -rf "$lab/edk2"
	mkdir -p "$lab/edk2"/{sources,state/lists/partial,cache/archives/partial}
	lab_sources || return 1
	[ ! -e "$list" ] || sed 's/^deb /deb-src /' "$list" >"$lab/edk2/sources/lab.list"
	[ ! -e "$stanzas" ] || sed 's/^Types:.*/Types: deb-src/' "$stanzas" >"$lab/edk2/sources/lab.sources"
	cd "$lab/edk2" && lab_edk2_apt update && lab_edk2_apt source edk2
}

# Its handler of interrupts ends with a write of CR8, which it never changes. There QEMU's emulation of SVM aborts, the whole
# machine with it, when Xen has one more interrupt for the guest (docs/lab.md).
lab_edk2_build() {
	cd "$lab"/edk2/edk2-*/ || return 1
	sed -i 's/^ *mov  *cr8, rax/; &/' UefiCpuPkg/Library/CpuExceptionHandlerLib/X64/*ExceptionHandlerAsm.nasm
	! grep '^ *mov  *cr8,' UefiCpuPkg/Library/CpuExceptionHandlerLib/X64/*.nasm || return 1
	# A patch of Debian's has the shell ask for these, and names them to the other platforms only.
	sed -i '/^\[LibraryClasses\]/r /dev/stdin' OvmfPkg/OvmfXen.dsc <<-END
		  SecureBootVariableLib|SecurityPkg/Library/SecureBootVariableLib/SecureBootVariableLib.inf
		  PlatformPKProtectionLib|SecurityPkg/Library/PlatformPKProtectionLibVarPolicy/PlatformPKProtectionLibVarPolicy.inf
	END
	unset MAKEFLAGS MFLAGS WORKSPACE EDK_TOOLS_PATH CONF_PATH
	set +eu
	# shellcheck source=/dev/null
	. ./edksetup.sh && make -C BaseTools ARCH=X64 &&
		PYTHON3_ENABLE=TRUE build -n "$(nproc)" -a X64 -t GCC5 -b DEBUG -p OvmfPkg/OvmfXen.dsc \
			-D NETWORK_ENABLE=FALSE -D DEBUG_ON_HYPERVISOR_CONSOLE=TRUE &&
		mv Build/OvmfXen/DEBUG_GCC5/FV/OVMF.fd "$lab/OvmfXen.fd"
}

lab_firmware_locked() {
	local recipe=$here/parts/firmware.sh tool
	[ ! -e "$lab/OvmfXen.fd" ] || [ "$(cat "$lab/firmware.stamp" 2>/dev/null)" != "$(sha256sum <"$recipe")" ] || return 0
	for tool in "nasm nasm" "iasl acpica-tools" "g++ g++" "dpkg-source dpkg-dev"; do
		# shellcheck disable=SC2086
		lab_need $tool || return 1
	done
	lab_say "making OVMF for Xen of Debian's edk2, some ten minutes"
	(lab_edk2_fetch && lab_edk2_build) >"$lab/firmware.log" 2>&1 || {
		tail -n 20 "$lab/firmware.log" >&2
		lab_say "OVMF cannot be made ($lab/firmware.log)"
		return 1
	}
	rm -rf "$lab/edk2"
	sha256sum <"$recipe" >"$lab/firmware.stamp"
}

lab_firmware() {
	mkdir -p "$lab"
	( # it changes the folder
		lab=$(realpath "$lab")
		flock 9
		lab_firmware_locked
	) 9>"$lab/firmware.lock"
}
