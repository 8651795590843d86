#!/bin/bash
# Three sites talk through a group key: namespaces for a key server, a WAN, and three gateways with a
# host behind each; the real programs, the configurations of examples/three-sites as they are. KEEP=1
# leaves it running. Needs root; touches nothing outside of its own namespaces.
#
#     ks 192.0.2.1 ---- wan ---- gw1 198.51.100.1 ---- h1 10.1.0.2
#                        |------ gw2 198.51.100.2 ---- h2 10.2.0.2
#                        `------ gw3 198.51.100.3 ---- h3 10.3.0.2
set -u
cd "$(dirname "$0")/.." || exit 1

P=cvdemo$$                           # prefix of every namespace: runs do not meet
BIN=$PWD/build/src/cmd
CONF=$PWD/examples/three-sites
WORK=$(mktemp -d /tmp/conclave-demo.XXXXXX)
KEEP=${KEEP:-}
NODES="ks wan gw1 gw2 gw3 h1 h2 h3"
PIDS=()

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf '\ndemo: failed: %s\n' "$*"
    for log in "$WORK"/*.log; do
        [ -s "$log" ] && { echo "-- ${log##*/}"; tail -n 15 "$log"; }
    done
    exit 1
}
in_ns() { local ns=$P-$1; shift; ip netns exec "$ns" "$@"; }
# In the background: $! is the program itself.
start() { local ns=$P-$1; shift; exec ip netns exec "$ns" "$@"; }
conclave() { local node=$1; shift; "$BIN/conclave" --run-dir "$WORK/$node" "$@"; }

cleanup() {
    trap '' INT TERM
    if [ -n "$KEEP" ] && [ "${OK:-}" = 1 ]; then return; fi
    disown -a
    for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null; done
    for n in $NODES; do
        ip netns pids "$P-$n" 2>/dev/null | xargs -r kill -9 2>/dev/null
        ip netns del "$P-$n" 2>/dev/null
    done
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# wait_for SECONDS WHAT COMMAND...: until the command succeeds
wait_for() {
    local left=$(($1 * 10)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $((left--)) -gt 0 ] || fail "$what"
        sleep 0.1
    done
}

link() { # link NODE_A DEVICE_A NODE_B DEVICE_B
    ip link add "$2" netns "$P-$1" type veth peer name "$4" netns "$P-$3"
    in_ns "$1" ip link set "$2" up
    in_ns "$3" ip link set "$4" up
}

build_network() {
    for n in $NODES; do
        ip netns del "$P-$n" 2>/dev/null
        ip netns add "$P-$n" || fail "cannot make a network namespace: root is needed"
        in_ns "$n" sysctl -qw \
            net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
            net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0
        in_ns "$n" ip link set lo up
    done
    in_ns wan sysctl -qw net.ipv4.ip_forward=1
    in_ns wan ip link add br0 type bridge mcast_snooping 0
    in_ns wan ip addr add 198.51.100.254/24 dev br0
    in_ns wan ip link set br0 up
    link ks wan0 wan ks0
    in_ns ks ip addr add 192.0.2.1/24 dev wan0
    in_ns ks ip route add default via 192.0.2.254
    in_ns wan ip addr add 192.0.2.254/24 dev ks0
    for i in 1 2 3; do
        link "gw$i" wan0 wan "gw$i"
        in_ns wan ip link set "gw$i" master br0
        in_ns wan ip route add "10.$i.0.0/16" via "198.51.100.$i"
        in_ns "gw$i" ip addr add "198.51.100.$i/24" dev wan0
        in_ns "gw$i" ip route add default via 198.51.100.254
        in_ns "gw$i" sysctl -qw net.ipv4.ip_forward=1
        link "h$i" eth0 "gw$i" lan0
        in_ns "gw$i" ip addr add "10.$i.0.1/16" dev lan0
        in_ns "h$i" ip addr add "10.$i.0.2/16" dev eth0
        in_ns "h$i" ip route add default via "10.$i.0.1"
    done
}

start_server() {
    mkdir -p "$WORK/ks"
    start ks "$BIN/conclaved" -f "$CONF/server.conf" --run-dir "$WORK/ks" \
        --state-dir "$WORK/ks/state" --key-dir "$WORK/ks/keys" >>"$WORK/ks.log" 2>&1 &
    SERVER=$!
    PIDS+=("$SERVER")
}

start_member() {
    mkdir -p "$WORK/gw$1"
    start "gw$1" "$BIN/conclave-member" -f "$CONF/site$1.conf" --run-dir "$WORK/gw$1" \
        >>"$WORK/gw$1.log" 2>&1 &
    MEMBER[$1]=$!
    PIDS+=($!)
}

MEMBER_SAS="show security group-vpn member ipsec security-associations"
has_keys() { conclave "gw$1" $MEMBER_SAS | grep -q 'ESP:'; }

start_capture() {
    start wan tcpdump -i any --immediate-mode -U -n -w "$WORK/wan.pcap" ip >"$WORK/tcpdump.log" 2>&1 &
    CAPTURE=$!
    PIDS+=("$CAPTURE")
    wait_for 5 "tcpdump does not start" grep -q listening "$WORK/tcpdump.log"
}

# How many packets of the WAN's capture match.
captured() { tcpdump -n -r "$WORK/wan.pcap" "$@" 2>/dev/null | wc -l; }

pings() {
    local from to
    for from in 1 2 3; do
        for to in 1 2 3; do
            [ $from = $to ] && continue
            in_ns h$from ping -c 3 -i 0.2 -W 2 -q 10.$to.0.2 | grep -q ' 0% packet loss' ||
                fail "host $from cannot ping host $to"
            echo "host $from -> host $to: 3 of 3"
        done
    done
}

traffic() { local node=$1; shift; in_ns "$node" python3 demo/traffic.py "$@"; }

tcp_transfer() {
    traffic h2 tcp-sink 10.2.0.2 5001 >"$WORK/tcp.out" 2>&1 &
    local sink=$!
    wait_for 5 "the TCP receiver does not start" grep -q ready "$WORK/tcp.out"
    traffic h1 tcp-send 10.2.0.2 5001 64 || fail "the TCP transfer broke"
    wait $sink || fail "the TCP transfer arrived damaged"
    tail -n 1 "$WORK/tcp.out"
}

multicast() {
    for i in 2 3; do
        traffic "h$i" multicast-sink 239.1.1.1 5002 "10.$i.0.2" 500 >"$WORK/mc$i.out" 2>&1 &
        eval "local sink$i=$!"
        wait_for 5 "a multicast receiver does not start" grep -q ready "$WORK/mc$i.out"
    done
    traffic h1 multicast-send 239.1.1.1 5002 10.1.0.2 500 || fail "the multicast stream broke"
    for i in 2 3; do
        eval "wait \$sink$i" || fail "host $i missed packets: $(tail -n 1 "$WORK/mc$i.out")"
        echo "host 1 -> 239.1.1.1, seen by host $i: $(tail -n 1 "$WORK/mc$i.out")"
    done
}

registrations() { conclave gw1 $MEMBER_SAS detail | awk '/Pull Succeeded/ {print $NF; exit}'; }
register_again() {
    conclave "$1" clear security group-vpn member group || fail "$1 does not take the command"
}

reregister_under_traffic() {
    local before
    before=$(registrations)
    traffic h2 udp-sink 10.2.0.2 5003 >"$WORK/udp.out" 2>&1 &
    local sink=$!
    wait_for 5 "the UDP receiver does not start" grep -q ready "$WORK/udp.out"
    traffic h1 udp-send 10.2.0.2 5003 1000 4 >"$WORK/udp-send.out" 2>&1 &
    local sender=$!
    sleep 1
    register_again gw1
    sleep 1
    register_again gw2
    wait $sender || fail "the UDP stream broke"
    wait $sink || fail "packets were lost meanwhile: $(tail -n 1 "$WORK/udp.out")"
    [ "$(registrations)" -gt "$before" ] || fail "the member did not register again"
    echo "host 1 -> host 2 at 1000 packets a second: $(tail -n 1 "$WORK/udp.out")," \
        "while both gateways registered again"
}

# Traffic from host 1 to host 2 in the background, until stream_end says what became of it.
stream() { # stream SECONDS
    traffic h2 udp-sink 10.2.0.2 5005 >"$WORK/stream.out" 2>&1 &
    SINK=$!
    wait_for 5 "the UDP receiver does not start" grep -q ready "$WORK/stream.out"
    traffic h1 udp-send 10.2.0.2 5005 500 "$1" >"$WORK/stream-send.out" 2>&1 &
    STREAM=$!
}
stream_end() {
    wait "$STREAM" || fail "the UDP stream broke"
    wait "$SINK" || fail "packets were lost meanwhile: $(tail -n 1 "$WORK/stream.out")"
    echo "host 1 -> host 2 meanwhile, 500 packets a second: $(tail -n 1 "$WORK/stream.out")"
}

# The SPIs of a gateway's keys, in one line. Two ipsec-sas: two keys, four in a changeover.
spis() { conclave "gw$1" $MEMBER_SAS | sed -n 's/.* ESP:[^ ]* *\([0-9a-f]*\) .*/\1/p' |
    sort -u | tr '\n' ' '; }
n_spis() { spis "$1" | wc -w; }
changed_from() { # changed_from SPIS GATEWAY...: each holds the new keys, and those only
    local before=$1
    shift
    for i in "$@"; do
        [ "$(n_spis "$i")" = 2 ] && [ "$(spis "$i")" != "$before" ] || return 1
    done
}

rekey_under_traffic() {
    local before
    before=$(spis 1)
    stream 45
    conclave ks request security group-vpn server rekey group sites ||
        fail "the server does not take the command"
    wait_for 60 "the members do not change their keys" changed_from "$before" 1 2 3
    stream_end
    echo "all members had the push, changed to the new keys at the same second, and have dropped the old ones"
}

heartbeats() { conclave "gw$1" show security group-vpn member kek security-associations detail |
    awk -F: '/[Hh]eartbeats received/ {print $2 + 0; exit}'; }
heard_more() { [ "$(heartbeats 1)" -gt "$1" ]; }

hear_heartbeat() {
    echo "after each push the server shows a signed sign of life: gateway 1 has heard $(heartbeats 1)"
    [ "$(heartbeats 1)" -ge 1 ] || fail "no heartbeat came"
}

restart_server() {
    local before
    before=$(spis 1)
    stream 8
    kill -9 "$SERVER"
    wait "$SERVER" 2>/dev/null
    sleep 1
    start_server
    wait_for 20 "the key server does not come back" test -S "$WORK/ks/conclaved.sock"
    stream_end
    wait_for 20 "the key server does not answer" conclave ks show security group-vpn server registered-members
    for i in 1 2 3; do
        [ "$(spis $i)" = "$before" ] || fail "gateway $i has other keys than before"
    done
    [ "$(conclave ks show security group-vpn server registered-members | grep -c '198.51.100')" = 3 ] ||
        fail "the key server has forgotten members"
    echo "the key server was killed and is back: the same keys, the same three members, no packet lost"
}

remove_member() {
    local before
    before=$(spis 1)
    conclave ks request security group-vpn server remove-member group sites member-gateway site3 ||
        fail "the server does not take the command"
    wait_for 90 "the others do not change their keys" changed_from "$before" 1 2
    in_ns h1 ping -c 3 -i 0.2 -W 2 -q 10.2.0.2 | grep -q ' 0% packet loss' ||
        fail "site 1 and site 2 have lost each other"
    in_ns h3 ping -c 1 -W 1 -q 10.1.0.2 >/dev/null && fail "site 3 still talks"
    echo "sites 1 and 2 have new keys and talk; site 3 has none of them and is alone"
    conclave ks request security group-vpn server restore-member group sites member-gateway site3 ||
        fail "the server does not take the command"
    register_again gw3
    wait_for 30 "site 3 does not come back" in_ns h3 ping -c 1 -W 1 -q 10.1.0.2
    echo "site 3 was let back: it talks again"
}

fail_close() {
    local before clear
    before=$(captured 'udp port 5004')
    traffic h3 udp-send 10.1.0.2 5004 500 4 >/dev/null 2>&1 &
    local sender=$!
    sleep 1
    kill -9 "${MEMBER[3]}"
    wait "${MEMBER[3]}" 2>/dev/null
    wait $sender
    sleep 0.3
    clear=$(($(captured 'udp port 5004') - before))
    [ "$clear" = 0 ] || fail "$clear packets left site 3 in clear after its member was killed"
    in_ns h3 ping -c 1 -W 1 -q 10.1.0.2 >/dev/null && fail "site 3 still talks without a member"
    echo "member of site 3 killed under traffic: 0 packets in clear, site 3 is silent"
    start_member 3
    wait_for 30 "the member of site 3 does not come back" has_keys 3
    wait_for 10 "site 3 does not talk again" in_ns h3 ping -c 1 -W 1 -q 10.1.0.2
    echo "member of site 3 started again: site 3 talks"
}

prove_the_wan() {
    local esp udp igmp all other
    local stranger='ip and not (ip proto 50 or udp port 848 or igmp)'
    sleep 0.5
    all=$(captured ip) esp=$(captured 'ip proto 50') udp=$(captured 'udp port 848')
    igmp=$(captured igmp) other=$(captured "$stranger")
    echo "$all IP packets crossed the WAN: $esp ESP, $udp UDP 848," \
        "$igmp IGMP (the gateways' joins), $other other"
    if [ "$other" != 0 ]; then
        tcpdump -n -c 5 -r "$WORK/wan.pcap" "$stranger" 2>/dev/null
        fail "$other packets that are neither ESP nor UDP 848 crossed the WAN"
    fi
    [ "$esp" -gt 1000 ] && [ "$udp" -gt 20 ] || fail "the capture saw too little to prove anything"
}

tables() {
    local server="show security group-vpn server" member="show security group-vpn member"
    for what in "registered-members" "kek security-associations" "ipsec security-associations" \
        "ike security-associations"; do
        echo; echo "ks> $server $what"; conclave ks $server $what || fail "show"
    done
    for what in "ipsec security-associations" "ike security-associations" "ipsec statistics"; do
        echo; echo "gw1> $member $what"; conclave gw1 $member $what || fail "show"
    done
}

declare -A MEMBER
say "a key server, a WAN, three sites"
build_network
start_capture
start_server
wait_for 20 "the key server does not start" test -S "$WORK/ks/conclaved.sock"
for i in 1 2 3; do start_member $i; done
for i in 1 2 3; do wait_for 30 "the member of site $i gets no keys" has_keys $i; done
echo "three members have registered and hold the group's keys"
say "pings between the hosts"
pings
say "a TCP transfer"
tcp_transfer
say "a multicast stream"
multicast
say "members register again under traffic"
reregister_under_traffic
say "new keys for everybody, pushed under traffic"
rekey_under_traffic
say "a heartbeat"
hear_heartbeat
say "the key server is killed and starts again, under traffic"
restart_server
say "a member is removed"
remove_member
say "fail-close: a member is killed"
fail_close
say "what crossed the WAN"
prove_the_wan
say "what the operator sees"
tables
OK=1
if [ -n "$KEEP" ]; then
    cat <<TEXT

The demo goes on running. Look around:
    ip netns exec $P-h1 ping 10.2.0.2
    ip netns exec $P-wan tcpdump -n -i br0
    $BIN/conclave --run-dir $WORK/ks show security group-vpn server registered-members detail
    $BIN/conclave --run-dir $WORK/gw1 monitor
Logs and the capture are in $WORK. End it:
    for n in $NODES; do ip netns pids $P-\$n | xargs -r kill; ip netns del $P-\$n; done
    rm -rf $WORK
TEXT
    for pid in "${PIDS[@]}"; do disown "$pid" 2>/dev/null; done
    disown "$CAPTURE" 2>/dev/null
fi
echo
echo "demo: ok"
