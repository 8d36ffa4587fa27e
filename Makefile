# One make for the whole house. Each folder's module.mk names what it builds; the
# templates below turn the names into rules. Everything lands under $(BUILD).
#
#   make V=1            show the commands
#   make SANITIZE=LIST  build with -fsanitize=LIST (check-asan does, into $(BUILD)/asan)

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
SANITIZE ?=
JOBS    ?= $(shell nproc)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

VERSION := $(shell cat VERSION)
CPPFLAGS := $(CPPFLAGS) -D_GNU_SOURCE -DXSPLIT_VERSION='"$(VERSION)"' -I. -I$(BUILD)/gen
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wwrite-strings -Wvla -Wno-unused-parameter
CFLAGS   ?= -O2 -g
OURFLAGS := -std=gnu17 -fPIC -pthread -fno-strict-aliasing -fstack-protector-strong $(WARNINGS)
LDFLAGS  += -pthread -Wl,-z,relro,-z,now
ifneq ($(SANITIZE),)
OURFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined -DXSPLIT_SANITIZED=1
LDFLAGS  += -fsanitize=$(SANITIZE)
else
OURFLAGS += -D_FORTIFY_SOURCE=2
endif

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

# What the modules fill in. For a target NAME of any kind: NAME_SRCS (sources), NAME_LIBS
# (archives of ours), NAME_LINK (linker words such as -levent_core).
ARCHIVES :=   # NAME -> $(BUILD)/obj/NAME.a
PROGRAMS :=   # NAME -> $(BUILD)/bin/NAME
UNIT_TESTS := # NAME -> $(BUILD)/tests/unit/NAME, a Check program
TEST_PROGRAMS := # NAME -> $(BUILD)/tests/bin/NAME, used by the scripts of tests/embedded
FUZZERS :=    # NAME -> $(BUILD)/tests/fuzz/NAME, a libFuzzer program
EXTRA :=      # any other file that "all" builds
INSTALL_LIBS :=  # files below $(BUILD)/lib that "install" copies to the same place

MODULES := lib pvh-timer embedded xenstore-tools backend frontend frontend/kernel toolstack tests tests/fuzz
include $(wildcard $(addsuffix /module.mk,$(MODULES)))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$($(1)_SRCS))
archives = $(patsubst %,$(BUILD)/obj/%.a,$($(1)_LIBS))
SOURCES := $(sort $(foreach t,$(ARCHIVES) $(PROGRAMS) $(UNIT_TESTS) $(TEST_PROGRAMS) $(FUZZERS),$($(t)_SRCS)) $(EXTRA_SRCS))

define archive_rule
$(BUILD)/obj/$(1).a: $(call objects,$(1))
endef
# $(1) name, $(2) folder below $(BUILD)
define program_rule
$(BUILD)/$(2)/$(1): $(call objects,$(1)) $(call archives,$(1))
$(BUILD)/$(2)/$(1): LINK = $($(1)_LINK)
endef
$(foreach a,$(ARCHIVES),$(eval $(call archive_rule,$(a))))
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p),bin)))
$(foreach p,$(TEST_PROGRAMS),$(eval $(call program_rule,$(p),tests/bin)))
$(foreach p,$(UNIT_TESTS),$(eval $(p)_LINK += -lcheck -lsubunit -lrt -lm)$(eval $(call program_rule,$(p),tests/unit)))
$(foreach p,$(FUZZERS),$(eval $(p)_LINK += -fsanitize=fuzzer)$(eval $(call program_rule,$(p),tests/fuzz)))

PROGRAM_FILES := $(addprefix $(BUILD)/bin/,$(PROGRAMS))
UNIT_FILES := $(addprefix $(BUILD)/tests/unit/,$(UNIT_TESTS))
TEST_FILES := $(addprefix $(BUILD)/tests/bin/,$(TEST_PROGRAMS))
FUZZ_FILES := $(addprefix $(BUILD)/tests/fuzz/,$(FUZZERS))

$(BUILD)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(OURFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.a:
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(PROGRAM_FILES) $(UNIT_FILES) $(TEST_FILES) $(FUZZ_FILES):
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LINK)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: all deps run run-xen check check-unit check-embedded check-crash check-asan check-xen check-xen-smoke bench-block bench-toolstack lint format clean install help

## all: build everything into $(BUILD)
all: $(PROGRAM_FILES) $(EXTRA)

## deps: install the Debian packages that building, running and testing need
deps:
	$(Q)tools/deps

## run: a disk and a network card through the ring, step by step, with real tools
run: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)tests/first-light $(BUILD)

## run-xen: a stock Debian guest on our disk and network card, on real Xen under QEMU
run-xen: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)BUILD=$(abspath $(BUILD)) tests/xen/lab run --timeout 900 tests/xen/scenarios/pv.sh tests/xen/scenarios/lib.sh

## check: every test; its last line counts them
check: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) check-build
	$(Q)tests/run $(BUILD) unit embedded smoke

## check-unit: the Check programs of tests/unit
check-unit: $(UNIT_FILES)
	$(Q)tests/run $(BUILD) unit

## check-embedded: the scripts of tests/embedded, each in a fresh embedded host
check-embedded: all $(TEST_FILES)
	$(Q)tests/run $(BUILD) embedded

## check-crash: the worker killed 500 times under fio verify, the backend 5 times in each way, both amid changes
check-crash: all $(TEST_FILES)
	$(Q)ONLY='block-crash' ROUNDS=500 tests/run $(BUILD) embedded
	$(Q)cat $(BUILD)/log/embedded-block-crash
	$(Q)ONLY='block-reload' tests/run $(BUILD) embedded
	$(Q)cat $(BUILD)/log/embedded-block-reload
	$(Q)ONLY='block-changes' ROUNDS=4 tests/run $(BUILD) embedded

## check-asan: unit and embedded tests under the address and undefined-behaviour sanitizers
check-asan: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/asan SANITIZE=address,undefined check-build
	$(Q)tests/run $(BUILD)/asan unit embedded

.PHONY: fuzz fuzz-build
FUZZ_SECONDS ?= 60
## fuzz: each fuzzer of tests/fuzz for FUZZ_SECONDS (60), by clang under its sanitizers
fuzz: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-build
	$(Q)tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS)

fuzz-build: $(FUZZ_FILES)
	@:

.PHONY: check-killed
## check-killed: the toolstack killed before each of its calls that change anything (half an hour)
check-killed: check-build
	$(Q)KILL_STRIDE=1 BUILD=$(abspath $(BUILD)) tests/embedded/toolstack-killed.test

.PHONY: check-build
check-build: all $(UNIT_FILES) $(TEST_FILES)
	@:

## check-xen: every scenario of tests/xen/scenarios, on real Xen in the lab
check-xen: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) check-build
	$(Q)tests/run $(BUILD) xen

## check-xen-smoke: one boot of real Xen, a PV and a PVH guest (check does it too)
check-xen-smoke: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)tests/run $(BUILD) smoke

## bench-toolstack: create, destroy and list beside xl in the lab; a quarter of an hour
bench-toolstack: deps check-build
	$(Q)BUILD=$(abspath $(BUILD)) tests/bench/toolstack

## bench-block: the block backend beside xen-blkback, QEMU and io_uring; a quarter of an hour
bench-block: deps check-build
	$(Q)BUILD=$(abspath $(BUILD)) tests/bench/block

.PHONY: check-timer bench-timer
## check-timer: every timer and interrupt case on real Xen, PVH and HVM, 1 and 4 vcpus, saved and restored
check-timer: deps check-build
	$(Q)BUILD=$(abspath $(BUILD)) tests/conformance/timer/run

## bench-timer: the guest kernel before and after its upgrade, beside Linux, on real Xen; ten minutes
bench-timer: deps check-build
	$(Q)BUILD=$(abspath $(BUILD)) tests/bench/timer

## lint: clang-format, clang-tidy, cppcheck, shellcheck, mandoc
lint: deps all
	$(Q)tools/lint "$(filter -I% -D_GNU_SOURCE,$(CPPFLAGS))" $(SOURCES)

## format: rewrite the sources in the house's format
format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

## clean: remove $(BUILD)
clean:
	$(Q)rm -rf $(BUILD)

## install: programs, libraries, manual pages below $(DESTDIR)$(PREFIX)
install: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin
	$(Q)for f in $(PROGRAM_FILES); do install "$$f" $(DESTDIR)$(PREFIX)/bin/ || exit 1; done
	$(Q)for f in $(INSTALL_LIBS); do \
	   install -D "$(BUILD)/lib/$$f" "$(DESTDIR)$(PREFIX)/lib/$$f" || exit 1; done
	$(Q)for f in $(wildcard docs/man/*.[1-8]); do \
	   install -D -m 644 "$$f" "$(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$${f##*/}" || exit 1; done
	$(Q)for f in $(wildcard docs/examples/*); do \
	   install -D -m 644 "$$f" "$(DESTDIR)$(PREFIX)/share/doc/xsplit/examples/$${f##*/}" || exit 1; done

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  make \1\t\2/p' Makefile | expand -t 22
