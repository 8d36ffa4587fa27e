# The host daemon: what on Xen is the hypervisor.
PROGRAMS += xsplit-embedded-host
xsplit-embedded-host_SRCS := $(addprefix embedded/host/,main.c session.c memory.c grant.c evtchn.c \
	handle.c domain.c) embedded/port.c
xsplit-embedded-host_LIBS := libxsplit
xsplit-embedded-host_LINK := -levent_core

# What each library of ours needs of it.
ARCHIVES += libembedded
libembedded_SRCS := embedded/client.c embedded/port.c lib/fdpass.c

XEN_LIBRARIES += libxenevtchn
libxenevtchn_SRCS := $(addprefix embedded/evtchn/,handle.c bind.c event.c)
libxenevtchn_LIBS := libembedded

# The launcher.
PROGRAMS += xsplit-embedded
xsplit-embedded_SRCS := embedded/environment.c embedded/ctrl/calls.c $(addprefix embedded/launcher/, \
	main.c options.c directory.c namespaces.c watch.c dom0.c daemon.c store.c exec.c)
xsplit-embedded_LIBS := libembedded libxsplit
xsplit-embedded_LINK := -lxenstore

XEN_LIBRARIES += libxenctrl libxenguest libxenforeignmemory libxendevicemodel libxencall libxenhypfs

include embedded/libraries.mk
