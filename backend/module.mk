# The backend daemon: block and net classes, the handshake, supervisor and workers.
UNIT_TESTS += xenbus_state
xenbus_state_SRCS := tests/unit/xenbus_state.c backend/xenbus/state.c
include backend/net/module.mk
