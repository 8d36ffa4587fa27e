# What makes a fully virtualised guest a PVHVM one. Freestanding: the guest kernel links the same
# sources (frontend/kernel), built with its own flags.
ARCHIVES += libpvh

PVH_TIMER_SRCS := $(addprefix pvh-timer/,anomalies.c clock.c cpuid.c evtchn.c evtchn_2l.c evtchn_bind.c \
	evtchn_fifo.c hypercall.c oneshot.c pvclock.c runstate.c suspend.c unplug.c upcall.c upgrade.c)
libpvh_SRCS := $(PVH_TIMER_SRCS)
$(patsubst %.c,$(BUILD)/obj/%.o,$(libpvh_SRCS)): OURFLAGS += -ffreestanding -U_FORTIFY_SOURCE

PVH_XEN_SRCS := tests/unit/pvh_xen.c tests/unit/pvh_xen_calls.c
PVH_EVENT_TESTS := pvh_abi pvh_evtchn pvh_throttle
PVH_GUEST_TESTS := pvh_clock pvh_oneshot pvh_suspend pvh_upcall pvh_upgrade
UNIT_TESTS += pvh_cpuid $(PVH_EVENT_TESTS) $(PVH_GUEST_TESTS) pvh_interleave pvh_threads
pvh_cpuid_SRCS := tests/unit/pvh_cpuid.c $(PVH_XEN_SRCS)
pvh_cpuid_LIBS := libpvh
$(foreach t,$(PVH_EVENT_TESTS),$(eval $(t)_SRCS := tests/unit/$(t).c tests/unit/pvh_events.c $(PVH_XEN_SRCS)) \
	$(eval $(t)_LIBS := libpvh))
$(foreach t,$(PVH_GUEST_TESTS),$(eval $(t)_SRCS := tests/unit/$(t).c tests/unit/pvh_guest.c $(PVH_XEN_SRCS)) \
	$(eval $(t)_LIBS := libpvh))

# Two tests of races, that build the library and the scripted hypervisor in their own way.
PVH_RACE_SRCS := $(PVH_TIMER_SRCS) $(PVH_XEN_SRCS)
EXTRA_SRCS += tests/unit/pvh_interleave.c tests/unit/pvh_threads.c
$(BUILD)/tests/unit/pvh_interleave: $(patsubst %.c,$(BUILD)/obj/interleave/%.o,$(PVH_RACE_SRCS) \
	tests/unit/pvh_interleave.c)
$(BUILD)/obj/interleave/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -DPVH_INTERLEAVE $(OURFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/pvh_threads: $(patsubst %.c,$(BUILD)/obj/threads/%.o,$(PVH_RACE_SRCS) \
	tests/unit/pvh_threads.c)
ifeq ($(SANITIZE),)
$(BUILD)/tests/unit/pvh_threads: LDFLAGS += -fsanitize=thread
PVH_THREADS_FLAGS := -fsanitize=thread -Wno-tsan
endif
$(BUILD)/obj/threads/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(OURFLAGS) $(CFLAGS) $(PVH_THREADS_FLAGS) -MMD -MP -c -o $@ $<
