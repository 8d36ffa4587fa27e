XEN_LIBRARIES += libxenctrl libxenguest libxenforeignmemory libxendevicemodel libxencall libxenhypfs

include embedded/libraries.mk
