# shellcheck shell=bash disable=SC2154,SC2086
# The lab's images, each made again only when what it is made of changed.
#
#   xen, vmlinuz     from Debian's packages
#   root/            dom0's tree, root.img the same as a read-only ext4 image
#   initrd.img       a busybox that mounts it

lab_suite=bookworm
lab_packages="busybox-static bsdutils xen-hypervisor-4.17-amd64 linux-image-amd64 xen-utils-4.17 xenstore-utils
	qemu-system-xen bash coreutils util-linux mount procps iproute2 iputils-ping kmod e2fsprogs grep sed gawk findutils
	tar gzip cpio fio iperf3 strace gdb bridge-utils ethtool hostname
	libevent-core-2.1-7 libevent-extra-2.1-7 libevent-pthreads-2.1-7 liburing2 libseccomp2 libnl-route-3-200 libyajl2 libnbd0
	nbdkit libnbd-bin qemu-utils libxencall1 seabios ovmf mtools grub-xen-host python3-minimal openssh-client openssh-server"

# Modules dom0 loads from the initrd, and those it and the guests may load later.
lab_boot_modules="virtio_pci virtio_blk virtio_console ext4 overlay"
lab_modules="xen-gntdev xen-gntalloc xen-evtchn xen-privcmd xenfs tun bridge loop null_blk configfs virtio_console virtio_net
	xen-blkback xen-netback xen-pciback xen-blkfront xen-netfront xen-pcifront nvme ata_piix ata_generic ahci sym53c8xx sd_mod sr_mod isofs
	8139cp e1000 ext4 overlay veth nbd crc32c_generic crct10dif_generic crc64-rocksoft tcp_bbr"

lab_guest_modules="xen-blkfront xen-netfront ext4 crc32c_generic ata_piix ahci sym53c8xx sd_mod 8139cp e1000"

lab_say() {
	echo "lab: $*" >&2
}

lab_need() { # command package
	command -v "$1" >/dev/null && return
	lab_say "$1 is missing; install the package $2"
	return 1
}

lab_as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else unshare --map-root-user "$@"; fi
}

lab_modprobe_depends() { # root modules... -> the files they need, in load order
	local m root=$1
	shift
	for m in "$@"; do
		modprobe -d "$root" -S "$(ls "$root/lib/modules")" --show-depends "$m" 2>/dev/null | sed -n 's/^insmod //p'
	done | awk '!seen[$1]++ { print $1 }'
}

# Whatever mirror serves this machine's apt serves the lab; what else apt knows is left alone.
lab_sources() {
	local file
	rm -rf "$lab/apt"
	mkdir -p "$lab/apt"
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		awk -v suite="^$lab_suite([-/]|\$)" '$1 == "deb" {
			words = $0
			sub(/\[[^]]*\]/, "", words)
			split(words, word)
			if (word[3] ~ suite) print
		}' >"$lab/apt/one-line.list"
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] && sed '/^#/d' "$file" && echo
	done | awk -v suite="(^|[\n ])$lab_suite([-/ \n]|\$)" 'BEGIN { RS = ""; ORS = "\n\n" }
		!/(^|\n)Enabled: *no/ && match($0, /(^|\n)Suites:[^:]*/) && substr($0, RSTART, RLENGTH) ~ suite
	' >"$lab/apt/stanzas.sources"
	find "$lab/apt" -empty -delete
	[ -d "$lab/apt" ] || {
		lab_say "no source of $lab_suite in /etc/apt; the lab's images are made of Debian 12's packages"
		return 1
	}
}

lab_root_make() {
	local packages
	packages=$(echo $lab_packages | tr ' ' ,)
	lab_say "fetching and unpacking dom0's packages"
	rm -rf "$lab/root.new"
	lab_sources || return 1
	mmdebstrap --mode=chrootless --variant=extract --include="$packages" "$lab_suite" "$lab/root.new" "$lab"/apt/* \
		>"$lab/mmdebstrap.log" 2>&1 || {
		grep -E "^(E|W|Err)[: ]" "$lab/mmdebstrap.log" | tail -n 6 >&2
		lab_say "dom0's packages cannot be fetched from the mirrors in $lab/apt: is the network there, and a proxy if" \
			"one is needed ($lab/mmdebstrap.log)?"
		return 1
	}
	lab_kernel=$(ls "$lab/root.new/lib/modules")
	depmod -b "$lab/root.new" "$lab_kernel"
	zcat "$lab/root.new"/boot/xen-4.17-amd64.gz >"$lab/xen.new"
	cp "$lab/root.new/boot/vmlinuz-$lab_kernel" "$lab/vmlinuz.new"
}

# No maintainer script ran: what they would have done, and what nobody needs.
lab_root_trim() {
	local root=$lab/root.new keep m
	keep=$(lab_modprobe_depends "$root" $lab_boot_modules $lab_modules)
	(cd "$root/lib/modules/$lab_kernel" && find kernel -name '*.ko' | while read -r m; do
		case $keep in
		*"/$m"*) ;;
		*) rm -f "$m" ;;
		esac
	done)
	depmod -b "$root" "$lab_kernel"
	rm -rf "$root"/usr/share/{doc,man,locale,info,perl,perl5,qemu/edk2*,i18n,zoneinfo,bash-completion,gdb,gcc,OVMF} \
		"$root"/usr/lib/x86_64-linux-gnu/perl "$root"/var/cache/apt "$root"/var/lib/apt/lists/* \
		"${root:?}/boot"
	# mtools wants the one of DOS.
	find "$root"/usr/lib/x86_64-linux-gnu/gconv -name '*.so' ! -name IBM850.so -delete
	[ -e "$root/bin/sh" ] || ln -s bash "$root/bin/sh"
	ln -sf gawk "$root/usr/bin/awk"
	rm -rf "$root/var/run" "$root/var/lock"
	mkdir -p "$root"/{proc,sys,dev,run,tmp,root,lab/run,lab/results,new,over,lower}
	echo 'root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >"$root/etc/passwd"
	echo 'root:x:0:
nogroup:x:65534:' >"$root/etc/group"
	echo '127.0.0.1 localhost lab' >"$root/etc/hosts"
	printf '/usr/lib/xen-4.17/lib\n' >"$root/etc/ld.so.conf.d/xen.conf"
	ldconfig -r "$root" 2>/dev/null || true
}

lab_closure() { # programs below root.new -> they and the libraries they need, paths relative to it
	local todo="$*" seen='' f l d
	while set -- $todo && [ $# -gt 0 ]; do
		f=$1
		shift
		todo="$*"
		case " $seen " in *" $f "*) continue ;; esac
		seen="$seen $f"
		for l in $(readelf -d "$lab/root.new/$f" 2>/dev/null | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'); do
			for d in lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu/ceph lib64; do
				[ -e "$lab/root.new/$d/$l" ] && todo="$todo $d/$l" && break
			done
		done
	done
	printf '%s\n' $seen
}

lab_cpio() { # tree archive
	(cd "$1" && find . | cpio -o -H newc --quiet --owner=0:0) >"$2"
	rm -rf "$1"
}

# A guest's initrd in parts: the kernel unpacks concatenated archives one after the other.
lab_guest_make() {
	local root=$lab/root.new guest=$lab/root.new/lab/guest tree=$lab/guest.tree f
	mkdir -p "$guest" "$tree/modules" "$tree/bin" "$tree/lib64"
	cp "$lab/vmlinuz.new" "$guest/vmlinuz"
	cp "$root/bin/busybox" "$tree/bin/"
	cp "$here/parts/init-guest" "$tree/init"
	for f in $(lab_modprobe_depends "$root" $lab_guest_modules); do
		cp "$f" "$tree/modules/"
		echo "${f##*/}"
	done >"$tree/modules.order"
	lab_cpio "$tree" "$guest/base.cpio"
	mkdir "$tree"
	lab_copy "$tree" bin/bash sbin/mke2fs sbin/e2fsck usr/bin/iperf3 lib64/ld-linux-x86-64.so.2
	lab_cpio "$tree" "$guest/tools.cpio"
	mkdir "$tree"
	lab_copy "$tree" usr/bin/fio
	lab_cpio "$tree" "$guest/fio.cpio"
}

# A disk that a machine boots from, by BIOS or by UEFI: one FAT partition with a boot loader and the
# kernel. lab-guest puts the initrd and the command line on it.
lab_disk_make() {
	local guest=$lab/root.new/lab/guest/disk.img
	local part=$guest@@1M
	rm -f "$guest"
	truncate -s 96M "$guest"
	echo '2048,,0c,*' | sfdisk -q "$guest" || return 1
	dd if=/usr/lib/syslinux/mbr/mbr.bin of="$guest" conv=notrunc status=none || return 1
	mkfs.fat -F 32 -n LABGUEST --offset 2048 "$guest" $((95 * 1024)) >/dev/null || return 1
	syslinux --install --offset $((1 << 20)) "$guest" || return 1
	export MTOOLS_SKIP_CHECK=1
	mmd -i "$part" ::/EFI ::/EFI/BOOT ::/boot ::/boot/grub
	mcopy -i "$part" /usr/lib/SYSLINUX.EFI/efi64/syslinux.efi ::/EFI/BOOT/BOOTX64.EFI || return 1
	mcopy -i "$part" /usr/lib/syslinux/modules/efi64/ldlinux.e64 ::/EFI/BOOT/ || return 1
	mcopy -i "$part" "$lab/vmlinuz.new" ::/vmlinuz
}

lab_copy() { # tree program...
	local tree=$1 f to
	shift
	for f in $(lab_closure "$@"); do
		case $f in
		*/ceph/*) to=usr/lib/x86_64-linux-gnu/${f##*/} ;; # found there without an rpath
		*) to=$f ;;
		esac
		mkdir -p "$tree/${to%/*}"
		cp -L "$lab/root.new/$f" "$tree/$to"
	done
}

lab_image_make() {
	local size
	size=$(du -sm "$lab/root.new" | cut -f1)
	rm -f "$lab/root.img.new"
	truncate -s $((size + size / 4 + 64))M "$lab/root.img.new"
	# To an ordinary user's namespace what it unpacked is root's, as it shall be to dom0.
	lab_as_root mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$lab/root.new" "$lab/root.img.new"
}

lab_initrd_make() {
	local tree=$lab/initrd.tree m
	rm -rf "$tree"
	mkdir -p "$tree/bin" "$tree/modules"
	cp "$lab/root/bin/busybox" "$tree/bin/busybox"
	cp "$here/parts/initrd-init" "$tree/init"
	chmod +x "$tree/init"
	for m in $(lab_modprobe_depends "$lab/root" $lab_boot_modules); do
		cp "$m" "$tree/modules/"
		echo "${m##*/}"
	done >"$tree/modules.order"
	(cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$lab/initrd.img.new"
	rm -rf "$tree"
	mv "$lab/initrd.img.new" "$lab/initrd.img"
}

# lab_fresh NAME FILE... - is NAME.img there, and its stamp that of the files?
lab_fresh() {
	[ -e "$lab/$1.img" ] && [ "$(cat "$lab/$1.stamp" 2>/dev/null)" = "$(cat "${@:2}" | sha256sum)" ]
}

lab_stamp() {
	cat "${@:2}" | sha256sum >"$lab/$1.stamp"
}

lab_build_locked() {
	local recipe=$here/parts/build.sh root_recipe="$here/parts/build.sh $here/parts/init-guest"
	if ! lab_fresh root $root_recipe; then
		lab_need syslinux syslinux && lab_need mcopy mtools && lab_need mkfs.fat dosfstools && lab_need sfdisk fdisk || return 1
		lab_need mmdebstrap mmdebstrap && lab_need cpio cpio && lab_need depmod kmod && lab_need readelf binutils || return 1
		lab_root_make && lab_root_trim && lab_guest_make && lab_disk_make && lab_image_make || return 1
		rm -rf "$lab/root"
		for f in root root.img xen vmlinuz; do
			mv "$lab/$f.new" "$lab/$f" || return 1
		done
		lab_stamp root $root_recipe
		lab_say "images ready: $(du -sh "$lab/root.img" | cut -f1) dom0 root"
	fi
	if ! lab_fresh initrd "$recipe" "$here/parts/initrd-init"; then
		lab_initrd_make || return 1
		lab_stamp initrd "$recipe" "$here/parts/initrd-init"
	fi
}

lab_build() {
	PATH=$PATH:/sbin:/usr/sbin
	mkdir -p "$lab"
	( # two labs starting at once build once
		flock 9
		lab_build_locked
	) 9>"$lab/lock"
}
