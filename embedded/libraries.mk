# Shared objects that stand in for Xen's. For each NAME in XEN_LIBRARIES: NAME_SRCS, NAME_LIBS and
# NAME_LINK as everywhere. Versions come from the real library of libxen-dev, what it exports and
# our sources do not define becomes a stub, and the link fails unless both export the same.
#
# In a build with sanitizers foreign programs, which have no runtime for them, get a second set
# that is built without; ours find theirs by a run path that comes before LD_LIBRARY_PATH.
EMBEDDED_LIB := $(BUILD)/lib/xsplit/$(if $(SANITIZE),embedded-sanitized,embedded)
XEN_ABI := embedded/abi/abi.sh

# $(1) NAME, $(2) the real library, $(3) its soname
define xen_library_rules
$(1)_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$($(1)_SRCS))
$(1)_ARCHIVES := $(patsubst %,$(BUILD)/obj/%.a,$($(1)_LIBS))

$(BUILD)/gen/embedded/$(1).map: $(2) $(XEN_ABI)
	@mkdir -p $$(@D)
	$$(Q)$(XEN_ABI) map $(2) >$$@

$(BUILD)/gen/embedded/$(1).c: $(2) $(XEN_ABI) $$($(1)_OBJECTS)
	@mkdir -p $$(@D)
	$$(Q)CC=$(CC) $(XEN_ABI) stubs $(2) $$($(1)_OBJECTS) >$$@

$(BUILD)/obj/embedded/abi/$(1).o: $(BUILD)/gen/embedded/$(1).c
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(CPPFLAGS) $(OURFLAGS) $(CFLAGS) -MMD -MP -c -o $$@ $$<

$(EMBEDDED_LIB)/$(3): $$($(1)_OBJECTS) $(BUILD)/obj/embedded/abi/$(1).o \
		$(BUILD)/obj/embedded/abi/unsupported.o $$($(1)_ARCHIVES) \
		$(BUILD)/gen/embedded/$(1).map
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,$(3) -Wl,--version-script=$(BUILD)/gen/embedded/$(1).map \
		-o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $($(1)_LINK)
	$$(Q)$(XEN_ABI) check $(2) $$@

EXTRA += $(EMBEDDED_LIB)/$(3)
EXTRA_SRCS += $($(1)_SRCS)
INSTALL_LIBS += xsplit/embedded/$(3)
endef

EXTRA_SRCS += embedded/abi/unsupported.c
xen_real = $(shell $(CC) -print-file-name=$(1).so 2>/dev/null)
xen_soname = $(shell readelf -d $(1) 2>/dev/null | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
# Without compiler and Debian's libraries, as before "make deps", there is no soname and nothing to say yet.
$(foreach l,$(XEN_LIBRARIES),$(if $(call xen_soname,$(call xen_real,$(l))),\
	$(eval $(call xen_library_rules,$(l),$(call xen_real,$(l)),$(call xen_soname,$(call xen_real,$(l)))))))

.PHONY: embedded-libraries embedded-libraries-plain
embedded-libraries: $(filter $(EMBEDDED_LIB)/%,$(EXTRA))
embedded-libraries-plain:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/plain SANITIZE= \
		EMBEDDED_LIB=$(BUILD)/lib/xsplit/embedded embedded-libraries
ifneq ($(SANITIZE),)
EXTRA += embedded-libraries-plain
LDFLAGS += -Wl,--disable-new-dtags,-rpath,$(abspath $(EMBEDDED_LIB))
endif
