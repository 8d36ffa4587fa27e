# The toolstack: the command xsplit and the daemon xsplitd, over one archive.
ARCHIVES += libtoolstack-config libtoolstack

# What depends on text alone, so that unit tests link it without Xen.
libtoolstack-config_SRCS := toolstack/fault.c toolstack/nearest.c \
	$(addprefix toolstack/config/,disk.c keys.c lines.c mac.c parse.c print.c values.c vdev.c vif.c)
libtoolstack_SRCS := toolstack/xen.c
