# The toolstack: the command xsplit and the daemon xsplitd, over two archives.
CPPFLAGS += $(shell pkg-config --cflags libnl-route-3.0 2>/dev/null)

ARCHIVES += libtoolstack-config libtoolstack
PROGRAMS += xsplit xsplitd

# Every source of a folder is part of what the folder makes.
toolstack_sources = $(sort $(foreach d,$(1),$(wildcard toolstack/$(d)/*.c)))

# What depends on text alone.
libtoolstack-config_SRCS := toolstack/fault.c toolstack/late.c toolstack/nearest.c $(call toolstack_sources,config)
libtoolstack_SRCS := $(addprefix toolstack/,argv.c goners.c interrupt.c io.c json.c nodes.c program.c toolstack.c) \
	$(call toolstack_sources,xen device domain doctor)

# Libraries that are loaded when they are needed (toolstack/late.h), by the names that the linker would note.
late_name = $$(readelf -d "$$($(CC) -print-file-name=$(2).so)" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\#define LATE_$(1)_NAME "\1"/p')
$(BUILD)/gen/toolstack/late_names.h: toolstack/module.mk
	@mkdir -p $(@D)
	$(Q){ echo "$(call late_name,XLUTIL,libxlutil)"; echo "$(call late_name,XENGUEST,libxenguest)"; \
		echo "$(call late_name,NETLINK,libnl-route-3)"; echo "$(call late_name,SECCOMP,libseccomp)"; } >$@
$(BUILD)/obj/toolstack/late.o: $(BUILD)/gen/toolstack/late_names.h

# Xen itself through toolstack/xen only.
toolstack_LIBS := libtoolstack libtoolstack-config libxsplit
toolstack_LINK := -lxenctrl -lxentoollog -lxenstore -luuid -lyajl

xsplit_SRCS := $(call toolstack_sources,command)
xsplit_LIBS := $(toolstack_LIBS)
xsplit_LINK := $(toolstack_LINK)

xsplitd_SRCS := $(call toolstack_sources,xsplitd)
xsplitd_LIBS := $(toolstack_LIBS)
xsplitd_LINK := $(toolstack_LINK) -levent_core

UNIT_TESTS += toolstack_acpi toolstack_agenda toolstack_config toolstack_core toolstack_device toolstack_dump toolstack_domain toolstack_specs toolstack_model toolstack_peer toolstack_saved toolstack_sandbox toolstack_schema
toolstack_acpi_SRCS := tests/unit/toolstack_acpi.c
toolstack_acpi_LIBS := libtoolstack
toolstack_dump_SRCS := tests/unit/toolstack_dump.c toolstack/fault.c toolstack/io.c $(addprefix toolstack/xen/,core.c dump.c)
toolstack_core_SRCS := tests/unit/toolstack_core.c toolstack/xen/core.c
toolstack_agenda_SRCS := tests/unit/toolstack_agenda.c toolstack/xsplitd/agenda.c
toolstack_agenda_LIBS := libxsplit
toolstack_config_SRCS := tests/unit/toolstack_config.c
toolstack_device_SRCS := tests/unit/toolstack_device.c
toolstack_domain_SRCS := tests/unit/toolstack_domain.c toolstack/xsplitd/policy.c toolstack/xsplitd/changes.c
toolstack_specs_SRCS := tests/unit/toolstack_specs.c
toolstack_specs_LIBS := $(toolstack_LIBS)
toolstack_specs_LINK := $(toolstack_LINK)
toolstack_config_LIBS := $(toolstack_LIBS)
toolstack_config_LINK := $(toolstack_LINK)
toolstack_device_LIBS := $(toolstack_LIBS)
toolstack_device_LINK := $(toolstack_LINK)
toolstack_domain_LIBS := $(toolstack_LIBS)
toolstack_domain_LINK := $(toolstack_LINK)
toolstack_model_SRCS := tests/unit/toolstack_model.c
toolstack_peer_SRCS := tests/unit/toolstack_peer.c
toolstack_peer_LIBS := $(toolstack_LIBS)
toolstack_peer_LINK := $(toolstack_LINK)
toolstack_saved_SRCS := tests/unit/toolstack_saved.c
toolstack_model_LIBS := $(toolstack_LIBS)
toolstack_model_LINK := $(toolstack_LINK)
toolstack_saved_LIBS := $(toolstack_LIBS)
toolstack_saved_LINK := $(toolstack_LINK)
toolstack_sandbox_SRCS := tests/unit/toolstack_sandbox.c toolstack/late.c toolstack/device/sandbox.c
toolstack_schema_SRCS := tests/unit/toolstack_schema.c
toolstack_schema_LIBS := $(toolstack_LIBS)
toolstack_schema_LINK := $(toolstack_LINK)
# It has the schema in it.
$(BUILD)/obj/tests/unit/toolstack_schema.o: docs/xsplit-config.schema.json

# Of tests/embedded.
TEST_PROGRAMS += progress libxl-json
progress_SRCS := tests/embedded/progress.c
progress_LIBS := $(toolstack_LIBS)
progress_LINK := $(toolstack_LINK)
libxl-json_SRCS := tests/embedded/libxl_json.c
libxl-json_LIBS := $(toolstack_LIBS)
libxl-json_LINK := $(toolstack_LINK) -lxenlight

TEST_PROGRAMS += restricted kexec
restricted_SRCS := tests/xen/restricted.c
kexec_SRCS := tests/xen/kexec.c
# It runs in a guest without libraries; a sanitizer's runtime cannot be linked so, and no guest runs that build.
kexec_LINK := $(if $(SANITIZE),,-static)

CLAIM_STUB := $(BUILD)/tests/lib/claim-stub.so
EXTRA += $(CLAIM_STUB)
EXTRA_SRCS += tests/embedded/claim_stub.c
$(CLAIM_STUB): tests/embedded/claim_stub.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu17 -fPIC -O2 -g $(WARNINGS) -shared -o $@ $<
