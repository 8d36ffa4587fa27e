# The frontends: a core without a system below it, and a process as its host.
CPPFLAGS += $(shell pkg-config --cflags libnl-route-3.0 2>/dev/null)
ARCHIVES += libfront libfront-process libfront-net

# Freestanding: a kernel is to link it as it is. _FORTIFY_SOURCE would need a C library.
libfront_SRCS := $(addprefix frontend/core/,blkfront.c blkfront_requests.c blkinfo.c blkpool.c blkring.c limbo.c \
	nethdr.c netfront.c netrx.c nettx.c store.c text.c xenbus.c xenbus_next.c)
$(patsubst %.c,$(BUILD)/obj/%.o,$(libfront_SRCS)): OURFLAGS += -ffreestanding -U_FORTIFY_SOURCE

libfront-process_SRCS := $(addprefix frontend/process/,disk.c disk_transfer.c host.c host_store.c)
libfront-net_SRCS := $(addprefix frontend/process/,link.c options.c tap.c vif.c vnet.c)
FRONT_LINK := -lxengnttab -lxenevtchn -lxenstore -levent_core -levent_pthreads

# nbdkit loads it, so it exports plugin_init alone.
FRONT_PLUGIN := $(BUILD)/lib/xsplit/nbdkit/nbdkit-xsplit-plugin.so
EXTRA += $(FRONT_PLUGIN)
EXTRA_SRCS += frontend/process/plugin.c
INSTALL_LIBS += xsplit/nbdkit/nbdkit-xsplit-plugin.so
$(FRONT_PLUGIN): $(BUILD)/obj/frontend/process/plugin.o \
		$(addprefix $(BUILD)/obj/,libfront-process.a libfront.a libxsplit.a)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,--exclude-libs,ALL -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(FRONT_LINK)

PROGRAMS += xsplit-guest
xsplit-guest_SRCS := $(addprefix frontend/process/,guest.c devices.c export.c)
xsplit-guest_LIBS := libfront-net libfront-process libfront libxsplit
xsplit-guest_LINK := $(FRONT_LINK) $(shell pkg-config --libs libnl-route-3.0 2>/dev/null)

UNIT_TESTS += front_xenbus
front_xenbus_SRCS := tests/unit/front_xenbus.c tests/unit/front_fake.c
front_xenbus_LIBS := libfront libxsplit

# $(1) a test, $(2) its kind of device, $(3) archives, $(4) linker words
define front_test
UNIT_TESTS += $(1)
$(1)_SRCS := tests/unit/$(1).c tests/unit/front_$(2)_bench.c tests/unit/front_fake.c
$(1)_LIBS := $(3) libfront libxsplit
$(1)_LINK := $(4)
endef
$(foreach t,front_blk front_blk_hostile,$(eval $(call front_test,$(t),blk)))
$(foreach t,front_net front_net_tx front_net_rx,$(eval $(call front_test,$(t),net,libfront-net,\
	$(shell pkg-config --libs libnl-route-3.0 2>/dev/null))))
