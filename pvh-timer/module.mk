# What makes a fully virtualised guest a PVHVM one. Freestanding: the guest kernel links the same
# sources (frontend/kernel), built with its own flags.
ARCHIVES += libpvh

PVH_TIMER_SRCS := $(addprefix pvh-timer/,anomalies.c clock.c cpuid.c evtchn.c evtchn_2l.c evtchn_bind.c \
	evtchn_fifo.c hypercall.c oneshot.c pvclock.c runstate.c suspend.c unplug.c upcall.c upgrade.c)
libpvh_SRCS := $(PVH_TIMER_SRCS)
$(patsubst %.c,$(BUILD)/obj/%.o,$(libpvh_SRCS)): OURFLAGS += -ffreestanding -U_FORTIFY_SOURCE

UNIT_TESTS += pvh_cpuid pvh_evtchn pvh_time pvh_upgrade pvh_interleave pvh_threads
pvh_cpuid_SRCS := tests/unit/pvh_cpuid.c tests/unit/pvh_xen.c tests/unit/pvh_xen_calls.c
pvh_cpuid_LIBS := libpvh
pvh_evtchn_SRCS := tests/unit/pvh_evtchn.c tests/unit/pvh_xen.c tests/unit/pvh_xen_calls.c
pvh_evtchn_LIBS := libpvh
pvh_time_SRCS := tests/unit/pvh_time.c tests/unit/pvh_xen.c tests/unit/pvh_xen_calls.c
pvh_time_LIBS := libpvh
pvh_upgrade_SRCS := tests/unit/pvh_upgrade.c tests/unit/pvh_xen.c tests/unit/pvh_xen_calls.c
pvh_upgrade_LIBS := libpvh

# Two tests of races, that build the library and the scripted hypervisor in their own way.
PVH_RACE_SRCS := $(PVH_TIMER_SRCS) tests/unit/pvh_xen.c tests/unit/pvh_xen_calls.c
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
