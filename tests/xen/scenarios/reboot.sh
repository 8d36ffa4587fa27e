#!/bin/bash
# A guest asked to reboot starts anew, as another domain, on the disk that it wrote.
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
say "make the initrd and the disks"
cat >again.script <<-'END'
	#!/bin/sh
	mount -t ext4 /dev/xvda /mnt || exit 1
	if [ -e /mnt/first ]; then
		echo "guest: second boot"
		umount /mnt
		exit
	fi
	touch /mnt/first && umount /mnt || exit 1
	echo "guest: first boot"
	sleep 600
END
lab-guest --script again.script -o again.initrd || fail "lab-guest"
guest_write again pvh
guest_create again
first=$(xsplit domid again)
wait_for 300 grep '^guest: first boot' /var/log/xen/guest-again.log || fail "no first boot"
xsplit reboot again || fail "reboot"
guest_other() {
	now=$(xsplit domid again) && [ "$now" != "$first" ]
}
wait_for 120 guest_other || fail "it was not made again"
xl list
guest_end again 300
grep -q '^guest: second boot' /var/log/xen/guest-again.log || fail "no second boot"
