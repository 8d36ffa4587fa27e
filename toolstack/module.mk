# The toolstack: the command xsplit and the daemon xsplitd, over two archives.
CPPFLAGS += $(shell pkg-config --cflags libnl-route-3.0)

ARCHIVES += libtoolstack-config libtoolstack
PROGRAMS += xsplit xsplitd

# What depends on text alone.
libtoolstack-config_SRCS := toolstack/fault.c toolstack/nearest.c \
	$(addprefix toolstack/config/,cpulist.c disk.c image.c keys.c lines.c mac.c options.c parse.c print.c values.c vdev.c vif.c)
libtoolstack_SRCS := \
	$(addprefix toolstack/,interrupt.c json.c nodes.c program.c toolstack.c) \
	$(addprefix toolstack/xen/,acpi.c build.c create.c pvh.c xen.c) \
	$(addprefix toolstack/device/,close.c console.c device.c info.c qemu.c script.c settings.c vbd.c vif.c wait.c) \
	$(addprefix toolstack/domain/,attach.c claims.c config_json.c create.c destroy.c ending.c \
		kernel.c layout.c link.c list.c name.c plan.c record.c rename.c)

# libxlutil and libxenlight for their parsers; Xen itself through toolstack/xen only.
toolstack_LIBS := libtoolstack libtoolstack-config libxsplit
toolstack_LINK := -lxlutil -lxenlight -lxenctrl -lxenguest -lxentoollog -lxenstore -luuid -lyajl \
	-lnl-route-3 -lnl-3

xsplit_SRCS := $(addprefix toolstack/command/,block-attach.c block-detach.c block-list.c block-pause.c block-qos.c block.c \
	command.c console.c create.c destroy.c devices.c domid.c list.c main.c network-attach.c \
	network-detach.c network-list.c network.c pause.c shutdown.c)
xsplit_LIBS := $(toolstack_LIBS)
xsplit_LINK := $(toolstack_LINK)

xsplitd_SRCS := $(addprefix toolstack/xsplitd/,daemon.c main.c policy.c reap.c)
xsplitd_LIBS := $(toolstack_LIBS)
xsplitd_LINK := $(toolstack_LINK) -levent_core

UNIT_TESTS += toolstack_acpi toolstack_config toolstack_device toolstack_domain
toolstack_acpi_SRCS := tests/unit/toolstack_acpi.c
toolstack_acpi_LIBS := libtoolstack
toolstack_config_SRCS := tests/unit/toolstack_config.c
toolstack_device_SRCS := tests/unit/toolstack_device.c
toolstack_domain_SRCS := tests/unit/toolstack_domain.c toolstack/xsplitd/policy.c
toolstack_config_LIBS := $(toolstack_LIBS)
toolstack_config_LINK := $(toolstack_LINK)
toolstack_device_LIBS := $(toolstack_LIBS)
toolstack_device_LINK := $(toolstack_LINK)
toolstack_domain_LIBS := $(toolstack_LIBS)
toolstack_domain_LINK := $(toolstack_LINK)
