# The host daemon: what on Xen is the hypervisor.
PROGRAMS += xsplit-embedded-host
xsplit-embedded-host_SRCS := $(addprefix embedded/host/,main.c session.c memory.c grant.c evtchn.c \
	domain.c)
xsplit-embedded-host_LIBS := libxsplit
xsplit-embedded-host_LINK := -levent_core

# What each library of ours needs of it.
ARCHIVES += libembedded
libembedded_SRCS := embedded/client.c lib/fdpass.c

XEN_LIBRARIES += libxenctrl libxenguest libxenforeignmemory libxendevicemodel libxencall libxenhypfs

include embedded/libraries.mk
