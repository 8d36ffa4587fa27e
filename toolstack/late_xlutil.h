/*
 * late_xlutil.h - libxlutil and, which it needs, libxenlight: see late.h.
 */
#pragma once

#include <libxl.h>
#include <libxlutil.h>
#include <yajl/yajl_gen.h>

#include "toolstack/late.h"

/* Of libxl_json.h, which cannot be included beside version 2 of yajl. */
yajl_gen_status libxl_cpuid_policy_list_gen_json(yajl_gen hand, libxl_cpuid_policy_list *policy);

#define xlu_cfg_destroy                  LATE(LATE_XLUTIL, xlu_cfg_destroy)
#define xlu_cfg_get_list                 LATE(LATE_XLUTIL, xlu_cfg_get_list)
#define xlu_cfg_get_listitem             LATE(LATE_XLUTIL, xlu_cfg_get_listitem)
#define xlu_cfg_get_string               LATE(LATE_XLUTIL, xlu_cfg_get_string)
#define xlu_cfg_init                     LATE(LATE_XLUTIL, xlu_cfg_init)
#define xlu_cfg_readdata                 LATE(LATE_XLUTIL, xlu_cfg_readdata)
#define xlu_disk_parse                   LATE(LATE_XLUTIL, xlu_disk_parse)
#define xlu_vif_parse_rate               LATE(LATE_XLUTIL, xlu_vif_parse_rate)
#define libxl_cpuid_dispose              LATE(LATE_XLUTIL, libxl_cpuid_dispose)
#define libxl_cpuid_parse_config         LATE(LATE_XLUTIL, libxl_cpuid_parse_config)
#define libxl_cpuid_parse_config_xend    LATE(LATE_XLUTIL, libxl_cpuid_parse_config_xend)
#define libxl_cpuid_policy_list_gen_json LATE(LATE_XLUTIL, libxl_cpuid_policy_list_gen_json)
#define libxl_defbool_is_default         LATE(LATE_XLUTIL, libxl_defbool_is_default)
#define libxl_defbool_val                LATE(LATE_XLUTIL, libxl_defbool_val)
#define libxl_device_disk_dispose        LATE(LATE_XLUTIL, libxl_device_disk_dispose)
#define libxl_device_disk_init           LATE(LATE_XLUTIL, libxl_device_disk_init)
#define libxl_device_nic_dispose         LATE(LATE_XLUTIL, libxl_device_nic_dispose)
#define libxl_device_nic_init            LATE(LATE_XLUTIL, libxl_device_nic_init)
