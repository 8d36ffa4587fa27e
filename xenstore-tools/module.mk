# The XenStore. libstore is all of it that does no I/O, for the daemon, the unit tests and the fuzzers.
ARCHIVES += libstore
libstore_SRCS := $(addprefix xenstore-tools/store/,bytes.c table.c path.c perms.c node.c \
	children.c tree.c walk.c usage.c quota.c wire.c transaction.c view.c event.c watch.c output.c \
	store.c domain.c death.c connection.c ring.c request.c serve_node.c serve_client.c \
	serve_domain.c serve_control.c transport.c)

PROGRAMS += xsplit-xenstored
xsplit-xenstored_SRCS := $(addprefix xenstore-tools/store/,main.c options.c server.c \
	socket.c xen.c sandbox.c)
xsplit-xenstored_LIBS := libstore libxsplit
xsplit-xenstored_LINK := -levent_core -lseccomp -lxenctrl -lxenevtchn -lxengnttab -lxentoollog

define store_test
UNIT_TESTS += store_$(1)
store_$(1)_SRCS := tests/unit/store_$(1).c tests/unit/store_world.c
store_$(1)_LIBS := libstore libxsplit
endef
$(foreach t,node transaction watch ring advisory flood memory,$(eval $(call store_test,$(t))))
store_transaction_SRCS += tests/unit/store_model.c

# C's daemon beside ours: both run on a stub of Xen's libraries whose rings the test owns.
TEST_PROGRAMS += store-differential
store-differential_SRCS := tests/embedded/store_differential.c tests/embedded/store_client.c
STORE_STUB := $(BUILD)/tests/lib/store-stub.so
EXTRA += $(STORE_STUB)
EXTRA_SRCS += tests/embedded/store_stub.c
# Never with the sanitizers: C's daemon has none.
$(STORE_STUB): tests/embedded/store_stub.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu17 -fPIC -O2 -g $(WARNINGS) -shared -o $@ $<
store_memory_LINK := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

TEST_PROGRAMS += store-bench
store-bench_SRCS := tests/bench/store.c
