#!/bin/sh
# Runs every measurement that this build has and prints its lines. One at a time: they measure
# processors that they need for themselves. Figures are recorded in doc/performance.md.
set -e
cd "$(dirname "$0")/.."
for bench in dh_bench cipher_bench registrations registrations_udp data_bench; do
    [ -x "build/bench/$bench" ] || continue
    "build/bench/$bench"
done
for bench in bench/*_bench.sh; do
    [ -x "$bench" ] || continue
    "$bench"
done
