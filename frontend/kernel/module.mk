# The guest kernel: one ELF file, and a disk and a CD whose boot sector loads the same bytes. What of
# the libraries it takes is built once more, without red zone or vector registers, which is how the build
# proves that it needs no C library.
KERNEL := $(BUILD)/kernel
KERNEL_LIB_SRCS := lib/number.c $(PVH_TIMER_SRCS) $(libfront_SRCS)
KERNEL_OWN_SRCS := $(addprefix frontend/kernel/,apic.c ata.c bench.c clocks.c console.c disk.c grant.c guest.c \
	interrupts.c main.c memory.c net.c platform.c print.c smp.c store.c string.c test.c tests_base.c \
	tests_devices.c tests_events.c tests_routes.c tests_store.c tests_suspend.c tests_time.c \
	tests_unplug.c world.c)
KERNEL_OBJECTS := $(patsubst %.c,$(BUILD)/obj/kernel/%.o,$(KERNEL_LIB_SRCS) $(KERNEL_OWN_SRCS)) \
	$(patsubst %.S,$(BUILD)/obj/kernel/%.o,frontend/kernel/start.S frontend/kernel/vectors.S)
KERNEL_FLAGS := -std=gnu17 -O2 -g -ffreestanding -mgeneral-regs-only -mno-red-zone -mcmodel=small \
	-fno-stack-protector -fno-pie -fno-pic -fno-strict-aliasing -fno-asynchronous-unwind-tables \
	-fcf-protection=none $(WARNINGS)

EXTRA += $(KERNEL)/xsplit-kernel $(KERNEL)/xsplit-kernel.img $(KERNEL)/xsplit-kernel.iso
EXTRA_SRCS += $(KERNEL_OWN_SRCS)

$(BUILD)/obj/kernel/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(KERNEL_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/kernel/%.o: %.S
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_FLAGS) -MMD -MP -c -o $@ $<

$(KERNEL)/xsplit-kernel: $(KERNEL_OBJECTS) frontend/kernel/kernel.ld
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -nostdlib -static -z noexecstack --no-warn-rwx-segments -T frontend/kernel/kernel.ld -o $@ \
		$(KERNEL_OBJECTS)

$(KERNEL)/xsplit-kernel.bin: $(KERNEL)/xsplit-kernel
	$(Q)objcopy -O binary $< $@.tmp && truncate -s %512 $@.tmp && mv $@.tmp $@

$(KERNEL)/xsplit-kernel.img: $(KERNEL)/xsplit-kernel.bin frontend/kernel/boot.S
	$(call say,IMAGE,$@)
	$(Q)$(CC) -DSECTORS=$$(($$(stat -c %s $<) / 512)) -c -o $(KERNEL)/boot.o frontend/kernel/boot.S
	$(Q)$(LD) -nostdlib -Ttext=0x7c00 -e _start --oformat binary -o $(KERNEL)/boot.bin $(KERNEL)/boot.o
	$(Q)cat $(KERNEL)/boot.bin $< >$@.tmp && truncate -s 8M $@.tmp && mv $@.tmp $@

$(KERNEL)/xsplit-kernel.iso: $(KERNEL)/xsplit-kernel.img
	$(call say,IMAGE,$@)
	$(Q)rm -rf $(KERNEL)/cd && mkdir $(KERNEL)/cd && head -c 1M $< >$(KERNEL)/cd/boot.img
	$(Q)xorriso -as mkisofs -quiet -b boot.img -no-emul-boot -boot-load-size 4 -boot-info-table \
		-o $@.tmp $(KERNEL)/cd 2>$@.log || { cat $@.log >&2; exit 1; }
	$(Q)mv $@.tmp $@

# The same measurements in a Linux guest, which has none of our libraries.
ifeq ($(SANITIZE),)
TEST_PROGRAMS += timer_linux
timer_linux_SRCS := tests/bench/timer_linux.c
timer_linux_LINK := -static
endif

# In dom0: a resume that the guest is not told to be one in place.
TEST_PROGRAMS += timer-resume
timer-resume_SRCS := tests/conformance/timer/resume.c
timer-resume_LINK := -lxenctrl -lxenguest -lxenstore
