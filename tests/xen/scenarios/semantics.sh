#!/bin/bash
# The embedded platform's test of grants and events, the same binary, holds on real Xen within dom0.
# files: tests/bin/semantics
set -eu

./semantics 0 "exec ./semantics agent" 0 "exec ./semantics agent" | tee words
[ "$(grep -c '^ok' words)" -ge 21 ]
