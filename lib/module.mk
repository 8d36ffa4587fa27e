# What several programs use; it knows nothing of devices.
ARCHIVES += libxsplit
libxsplit_SRCS := lib/log.c lib/histogram.c lib/json.c lib/listen.c lib/number.c lib/fdpass.c lib/outbox.c lib/xs.c lib/qos.c lib/ready.c lib/rundir.c lib/sealed.c

UNIT_TESTS += lib
lib_SRCS := tests/unit/lib.c
lib_LIBS := libxsplit
lib_LINK := -lxenstore

UNIT_TESTS += lib_outbox
lib_outbox_SRCS := tests/unit/lib_outbox.c
lib_outbox_LIBS := libxsplit
lib_outbox_LINK := -levent_core
