# The backend daemon: block and net classes, the handshake, supervisor and workers.
include backend/net/module.mk

# backend-block-ring is all of a disk that touches the guest's ring, without the store or the worker's life.
ARCHIVES += backend-block-ring backend-block backend-xenbus
backend-block-ring_SRCS := $(addprefix backend/block/,request.c ring.c inflight.c copier.c kept.c pool.c bucket.c \
	line.c stats.c merge.c batch.c poll.c poller.c slot.c queue.c queue_start.c queue_pass.c queue_dump.c \
	engine.c engine_uring.c engine_threads.c engine_null.c)
backend-block_SRCS := $(addprefix backend/block/,image.c image_lock.c image_size.c settings.c vbd_device.c vbd_front.c vbd_settle.c vbd_resize.c vbd_switch.c vbd_resume.c vbd_stats.c vbd_tell.c vbd_dump.c vbd_worker.c)
backend-xenbus_SRCS := $(addprefix backend/xenbus/,state.c path.c error.c journal.c nodes.c device.c device_rings.c device_nodes.c device_report.c)
# Disks that come over NBD: the worker's client, and what the supervisor runs for it.
backend-block-ring_SRCS += $(addprefix backend/block/,engine_nbd.c engine_sectors.c engine_inject.c inject.c stall.c unflushed.c remote.c \
	remote_connection.c remote_recovery.c)
backend-block_SRCS += $(addprefix backend/block/,source.c backing.c backing_connector.c backing_qemu.c connector.c export.c exporter.c exporter_rules.c exporter_files.c vbd_storage.c vbd_remote.c vbd_units.c)
xsplit-backend_SRCS += backend/supervisor/child.c backend/worker/confine.c

PROGRAMS += xsplit-backend
xsplit-backend_SRCS += backend/main.c backend/classes.c \
	$(addprefix backend/supervisor/,supervisor.c registry.c guest.c query.c metrics.c) \
	$(addprefix backend/worker/,worker.c events.c sandbox.c)
xsplit-backend_LIBS := backend-xenbus backend-block backend-block-ring backend-net backend-net-ring \
	libxsplit
xsplit-backend_LINK := -lxenstore -lxengnttab -lxenevtchn -levent_core -levent_extra -lyajl -luring -lnbd -lseccomp \
	-lnl-route-3 -lnl-3

UNIT_TESTS += xenbus_state
xenbus_state_SRCS := tests/unit/xenbus_state.c
xenbus_state_LIBS := backend-xenbus
UNIT_TESTS += xenbus_path
xenbus_path_SRCS := tests/unit/xenbus_path.c
xenbus_path_LIBS := backend-xenbus libxsplit

UNIT_TESTS += block_request
block_request_SRCS := tests/unit/block_request.c
block_request_LIBS := backend-block-ring

UNIT_TESTS += block_batch
block_batch_SRCS := tests/unit/block_batch.c
block_batch_LIBS := backend-block-ring

UNIT_TESTS += backend_journal
backend_journal_SRCS := tests/unit/backend_journal.c
backend_journal_LIBS := backend-block backend-xenbus libxsplit

UNIT_TESTS += backend_guest
backend_guest_SRCS := tests/unit/backend_guest.c backend/supervisor/guest.c backend/supervisor/registry.c
backend_guest_LIBS := backend-xenbus libxsplit
backend_guest_LINK := -lxenstore -levent_core

define block_inflight_test
UNIT_TESTS += $(1)
$(1)_SRCS := tests/unit/$(1).c tests/unit/block_inflight_bench.c
$(1)_LIBS := backend-block-ring
endef
$(foreach t,block_inflight block_inflight_nonsense,$(eval $(call block_inflight_test,$(t))))

define block_queue_test
UNIT_TESTS += $(1)
$(1)_SRCS := tests/unit/$(1).c tests/unit/block_queue_bench.c
$(1)_LIBS := backend-block-ring libxsplit
$(1)_LINK := -levent_core -luring -lnbd
endef
$(foreach t,block_queue block_queue_order block_queue_hostile block_queue_takeover block_queue_kept,\
	$(eval $(call block_queue_test,$(t))))

UNIT_TESTS += block_kept
block_kept_SRCS := tests/unit/block_kept.c
block_kept_LIBS := backend-block-ring libxsplit

UNIT_TESTS += block_source
block_source_SRCS := tests/unit/block_source.c backend/block/source.c
block_source_LIBS := libxsplit

UNIT_TESTS += block_poll
block_poll_SRCS := tests/unit/block_poll.c
block_poll_LIBS := backend-block-ring

UNIT_TESTS += block_poller
block_poller_SRCS := tests/unit/block_poller.c
block_poller_LIBS := backend-block-ring libxsplit

UNIT_TESTS += block_sectors
block_sectors_SRCS := tests/unit/block_sectors.c
block_sectors_LIBS := backend-block-ring libxsplit
block_sectors_LINK := -levent_core -luring -lnbd -Wl,--wrap=aligned_alloc,--wrap=calloc

UNIT_TESTS += block_inject
block_inject_SRCS := tests/unit/block_inject.c
block_inject_LIBS := backend-block-ring libxsplit
block_inject_LINK := -levent_core -luring -lnbd

UNIT_TESTS += block_stall
block_stall_SRCS := tests/unit/block_stall.c backend/block/stall.c
block_stall_LINK := -levent_core

define block_remote_test
UNIT_TESTS += $(1)
$(1)_SRCS := tests/unit/$(1).c tests/unit/block_remote_bench.c
$(1)_LIBS := backend-block-ring libxsplit
$(1)_LINK := -levent_core -luring -lnbd
endef
$(foreach t,block_remote block_remote_lost,$(eval $(call block_remote_test,$(t))))

UNIT_TESTS += block_export
block_export_SRCS := tests/unit/block_export.c backend/block/export.c

UNIT_TESTS += block_qos
block_qos_SRCS := tests/unit/block_qos.c backend/block/settings.c
block_qos_LIBS := backend-block-ring libxsplit
block_qos_LINK := -levent_core -luring

UNIT_TESTS += block_image
block_image_SRCS := tests/unit/block_image.c $(addprefix backend/block/,image.c image_lock.c)
block_image_LIBS := libxsplit

UNIT_TESTS += block_image_lock
block_image_lock_SRCS := tests/unit/block_image_lock.c $(addprefix backend/block/,image.c image_lock.c)
block_image_lock_LIBS := libxsplit
block_image_lock_LINK := -lseccomp

UNIT_TESTS += block_engine
block_engine_SRCS := tests/unit/block_engine.c
block_engine_LIBS := backend-block-ring libxsplit
block_engine_LINK := -levent_core -luring -lnbd

TEST_PROGRAMS += without
without_SRCS := tests/embedded/without.c
without_LINK := -lseccomp

TEST_PROGRAMS += block-frontend
block-frontend_SRCS := $(addprefix tests/embedded/block-,frontend.c hostile.c hoard.c endure.c front.c)
block-frontend_LINK := -lxenstore -lxengnttab -lxenevtchn

TEST_PROGRAMS += block-copy
block-copy_SRCS := tests/bench/block_copy.c
block-copy_LINK := -lxengnttab

TEST_PROGRAMS += block-load
block-load_SRCS := tests/bench/block_load.c tests/embedded/block-front.c
block-load_LINK := -lxenstore -lxengnttab -lxenevtchn

UNIT_TESTS += backend_sandbox
backend_sandbox_SRCS := tests/unit/backend_sandbox.c backend/worker/sandbox.c
backend_sandbox_LIBS := backend-block-ring libxsplit
backend_sandbox_LINK := -levent_core -luring -lnbd -lseccomp
