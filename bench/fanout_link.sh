#!/bin/sh
# Runs `fanout` over a veth pair in a namespace of its own: the neighbour has another address than the
# one that frames are sent to, and drops them at once.
set -e
ns=cvfan$$
ip netns add "$ns"
trap 'ip netns del "$ns"' EXIT
ip -n "$ns" link set lo up
ip -n "$ns" link add v0 type veth peer name v1
ip -n "$ns" link set v0 up
ip -n "$ns" link set v1 up
ip -n "$ns" addr add 10.85.0.1/24 dev v0
ip -n "$ns" neigh add 10.85.0.2 lladdr 02:00:00:00:00:99 dev v0
ip -n "$ns" route add 10.0.0.0/8 via 10.85.0.2
ip netns exec "$ns" "$1" v0 02:00:00:00:00:99
