#!/bin/bash
# An HVM guest, its device model's state with it: saved, restored, checkpointed, migrated to its own host.
# lab: --timeout 1800 --dom0-memory 1400 --memory 3584
# shellcheck source=tests/xen/scenarios/lib.sh disable=SC1091
. ./lib.sh

host_start
busy_script hvm.script
truncate -s 8M hvm-raw.img
machine_write hvm "console=ttyS0 console=hvc0" "memory=256" 'disk=["vdev=sda,target=hvm.img", "vdev=sdb,target=hvm-raw.img"]'
busy_start hvm
first=$(xsplit domid hvm)
say "save and restore"
xsplit save hvm hvm.save || fail "save"
gone hvm || fail "it is still there"
xsplit restore hvm.save || fail "restore"
[ "$(xsplit domid hvm)" != "$first" ] || fail "the same domain"
busy_goes_on hvm
rm hvm.save
say "a checkpoint"
xsplit save -c hvm hvm.checkpoint || fail "save -c"
busy_goes_on hvm
rm hvm.checkpoint
say "migrate to this host"
xsplit migrate -s "" hvm "xsplit migrate-receive" || fail "migrate"
busy_goes_on hvm
busy_end hvm
