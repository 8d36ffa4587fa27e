# The host daemon: what on Xen is the hypervisor.
PROGRAMS += xsplit-embedded-host
xsplit-embedded-host_SRCS := $(addprefix embedded/host/,main.c session.c memory.c grant.c evtchn.c \
	handle.c domain.c operations.c process.c) embedded/port.c embedded/grant.c \
	embedded/environment.c
xsplit-embedded-host_LIBS := libxsplit
xsplit-embedded-host_LINK := -levent_core

# What each library of ours needs of it.
ARCHIVES += libembedded
libembedded_SRCS := embedded/client.c embedded/port.c embedded/grant.c lib/fdpass.c

XEN_LIBRARIES += libxengnttab libxenevtchn
libxengnttab_SRCS := $(addprefix embedded/gnttab/,handle.c pin.c map.c copy.c share.c)
libxengnttab_LIBS := libembedded
libxengnttab_LINK := -lxentoollog
libxenevtchn_SRCS := $(addprefix embedded/evtchn/,handle.c bind.c event.c)
libxenevtchn_LIBS := libembedded

# Process 1 of a process guest; it is that guest's kernel.
PROGRAMS += xsplit-embedded-init
xsplit-embedded-init_SRCS := $(addprefix embedded/xenbus/,init.c server.c mux.c ring.c guest.c) \
	embedded/environment.c embedded/launcher/namespaces.c $(libxenevtchn_SRCS)
xsplit-embedded-init_LIBS := libembedded libxsplit
xsplit-embedded-init_LINK := -levent_core

# The launcher.
PROGRAMS += xsplit-embedded
xsplit-embedded_SRCS := embedded/environment.c embedded/ctrl/calls.c $(addprefix embedded/launcher/, \
	main.c options.c directory.c namespaces.c watch.c dom0.c daemon.c store.c exec.c)
xsplit-embedded_LIBS := libembedded libxsplit
xsplit-embedded_LINK := -lxenstore

XEN_LIBRARIES += libxenctrl libxenguest libxenforeignmemory libxendevicemodel libxencall libxenhypfs
libxenctrl_SRCS := $(addprefix embedded/ctrl/,calls.c interface.c domain.c event.c machine.c memory.c \
	pool.c vcpu.c) \
	embedded/memory/map.c
libxenctrl_LIBS := libembedded
libxenctrl_LINK := -lxentoollog
libxenguest_SRCS := $(addprefix embedded/guest/,memory.c image.c boot.c words.c) \
	embedded/ctrl/interface.c embedded/memory/map.c
libxenguest_LIBS := libembedded
libxenguest_LINK := -lxenctrl -lxentoollog
libxenforeignmemory_SRCS := $(addprefix embedded/memory/,foreignmemory.c map.c)
libxenforeignmemory_LIBS := libembedded
libxendevicemodel_SRCS := embedded/memory/devicemodel.c
libxencall_SRCS := embedded/memory/call.c

UNIT_TESTS += embedded_grant embedded_port
embedded_grant_SRCS := tests/unit/embedded_grant.c embedded/grant.c
embedded_port_SRCS := tests/unit/embedded_port.c embedded/port.c

# Programs of tests/embedded; semantics and property use Xen's public libraries alone.
TEST_PROGRAMS += semantics property destroyed threads embedded-domain
semantics_SRCS := $(addprefix tests/embedded/,semantics.c semantics_grants.c semantics_events.c \
	agent.c agents.c)
semantics_LINK := -lxengnttab -lxenevtchn
property_SRCS := $(addprefix tests/embedded/,property.c property_grants.c property_events.c agent.c agents.c)
property_LINK := -lxengnttab -lxenevtchn
destroyed_SRCS := $(addprefix tests/embedded/,destroyed.c agent.c agents.c)
destroyed_LINK := -lxengnttab -lxenevtchn
threads_SRCS := tests/embedded/threads.c
threads_LINK := -lxengnttab -lxenevtchn
embedded-domain_SRCS := tests/embedded/domain.c
embedded-domain_LIBS := libembedded

TEST_PROGRAMS += embedded-life
embedded-life_SRCS := tests/embedded/life.c
embedded-life_LINK := -lxenctrl -lxenguest -lxengnttab -lxenevtchn

UNIT_TESTS += embedded_words embedded_xenbus
embedded_words_SRCS := tests/unit/embedded_words.c embedded/guest/words.c
embedded_xenbus_SRCS := tests/unit/embedded_xenbus.c embedded/xenbus/mux.c embedded/xenbus/ring.c
embedded_xenbus_LINK := -levent_core

include embedded/libraries.mk
