#!/bin/sh
# Runs every measurement that this build has and prints its lines. One at a time: they measure
# processors that they need for themselves. Figures are recorded in doc/performance.md.
set -e
cd "$(dirname "$0")/.."
for bench in dh_bench cipher_bench stamps_bench registrations registrations_udp restart_bench fanout push; do
    [ -x "build/bench/$bench" ] || continue
    "build/bench/$bench"
done
if [ "$(id -u)" = 0 ]; then
    bench/fanout_link.sh build/bench/fanout
    /usr/bin/python3 bench/datapath.py build
else
    echo "bench: data path between two sites  left out: needs root for network namespaces"
fi
