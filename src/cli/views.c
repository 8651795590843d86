#include "cli/views.h"
#include "cli/view.h"

#include <assert.h>

// clang-format off
static const char *const server_ike_brief[] = {
    "@if security-association",
    "Index   State  Initiator cookie  Responder cookie  Mode           Remote Address",
    "@each security-association",
    "${index}$>8${state}$>15${initiator-cookie}$>33${responder-cookie}$>51${mode}"
        "$>66${remote-address}",
    "@end",
    "@end",
    NULL,
};

/* Also of the member: both ends know the same of a phase 1. */
static const char *const ike_detail[] = {
    "@each security-association",
    "IKE peer ${remote-address}, Index ${index}, Gateway Name: ${gateway-name|unknown}",
    "  Role: ${role}, State: ${state}",
    "  Initiator cookie: ${initiator-cookie}, Responder cookie: ${responder-cookie}",
    "  Exchange type: ${mode}, Authentication method: ${authentication-method|not agreed}",
    "  Local: ${local-endpoint}, Remote: ${remote-endpoint}",
    "  Lifetime: Expires in ${lifetime-remaining} seconds",
    "  Peer ike-id: ${peer-identity|not known yet}",
    "  Peer software: ${peer-native?Conclave:other}",
    "@if algorithms",
    "  Algorithms:",
    "   Authentication        : ${algorithms.authentication}",
    "   Encryption            : ${algorithms.encryption}",
    "   Pseudo random function: ${algorithms.pseudo-random-function}",
    "   Diffie-Hellman group  : ${algorithms.diffie-hellman-group}",
    "@end",
    "  Traffic statistics:",
    "   Input  bytes  :$>21${traffic.input-bytes}",
    "   Output bytes  :$>21${traffic.output-bytes}",
    "   Input  packets:$>21${traffic.input-packets}",
    "   Output packets:$>21${traffic.output-packets}",
    "",
    "@end",
    NULL,
};

static const char *const server_ipsec_brief[] = {
    "@each group",
    "Group: ${group-name}, Group Id: ${group-id}",
    "  Total IPsec SAs: ${#ipsec-sa}",
    "@if ipsec-sa",
    "  IPsec SA        Algorithm               SPI         Lifetime",
    "@each ipsec-sa",
    "@each generation",
    "  ${ipsec-sa-name}$>18${protocol}:${encryption}/${authentication}$>42${spi}"
        "$>54${lifetime-remaining}",
    "@end",
    "@end",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const server_ipsec_detail[] = {
    "@each group",
    "Group: ${group-name}, Group Id: ${group-id}",
    "Total IPsec SAs: ${#ipsec-sa}",
    "@each ipsec-sa",
    "  IPsec SA: ${ipsec-sa-name}",
    "  Protocol: ${protocol}, Authentication: ${authentication}, Encryption: ${encryption}",
    "@unless anti-replay-window",
    "  Anti-replay: ${anti-replay}",
    "@end",
    "@if anti-replay-window",
    "  Anti-replay: ${anti-replay}, window ${anti-replay-window} ms",
    "@end",
    "@each generation",
    "  SPI: ${spi}",
    "@unless activates-in",
    "  Lifetime: Expires in ${lifetime-remaining} seconds, Activated",
    "@end",
    "@if activates-in",
    "  Lifetime: Expires in ${lifetime-remaining} seconds, Activates in ${activates-in} seconds",
    "@end",
    "@if dropped-in",
    "  Forgotten in ${dropped-in} seconds",
    "@end",
    "@end",
    "@if rekey-remaining",
    "  Rekey in ${rekey-remaining} seconds",
    "@end",
    "@each match-policy",
    "  Policy Name: ${policy-name}",
    "    Source: ${source}   Destination: ${destination}",
    "    Source Port: ${source-port}   Destination Port: ${destination-port}   Protocol: "
        "${protocol-number}",
    "@end",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const server_kek_brief[] = {
    "@if kek",
    "Index   Life:sec  Initiator cookie  Responder cookie  GroupId",
    "@each kek",
    "${index}$>8${life-remaining}$>18${initiator-cookie}$>36${responder-cookie}$>54${group-id}",
    "@end",
    "@end",
    NULL,
};

static const char *const server_kek_detail[] = {
    "@each kek",
    "Index ${index}, Group Name: ${group-name}, Group Id: ${group-id}",
    "Initiator cookie: ${initiator-cookie}, Responder cookie: ${responder-cookie}",
    "Authentication method: ${authentication-method}",
    "Lifetime: Expires in ${life-remaining} seconds, Activated",
    "@if rekey-remaining",
    "Rekey in ${rekey-remaining} seconds",
    "@end",
    "  Algorithms:",
    "   Sig-hash            : ${algorithms.authentication}",
    "   Signature key length: ${algorithms.signature-key-length}",
    "   Encryption          : ${algorithms.encryption}",
    "  Certificate: ${certificate|none, the server's own key}",
    "  Server Member Communication: ${server-member-communication}",
    "@if server-multicast-group",
    "  Multicast Group: ${server-multicast-group}, Outgoing Interface: "
        "${multicast-outgoing-interface}",
    "@end",
    "  Retransmission Period: ${retransmission-period}, Number of Retransmissions: "
        "${number-of-retransmission}",
    "  Activation Delay: ${server-activation-delay}, Replay Window: ${server-replay-window} ms",
    "  Group Key Push sequence number: ${sequence-number}",
    "@if heartbeat-interval",
    "  Heartbeat: every ${heartbeat-interval} seconds, next in ${heartbeat-remaining} seconds",
    "PUSH negotiations in progress: ${push-negotiations}",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const server_members_brief[] = {
    "@each group",
    "Group: ${group-name}, Group Id: ${group-id}",
    "  Total number of registered members: ${registered-members}",
    "@if struck-members",
    "  Struck, until they register again: ${struck-members}",
    "@end",
    "@if member",
    "Member Gateway  Member IP       Last Update               Vsys   Status",
    "@each member",
    "${member-gateway}$>16${member-ip}$>32${last-update}$>58${vsys}$>65${status}",
    "@end",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const server_members_detail[] = {
    "@each group",
    "Group: ${group-name}, Group Id: ${group-id}",
    "  Total number of registered members: ${registered-members}",
    "@if struck-members",
    "  Struck, until they register again: ${struck-members}",
    "@end",
    "@each member",
    "Member gateway: ${member-gateway}, Member IP: ${member-ip}, Vsys: ${vsys}",
    "Last Update: ${last-update}, First: ${registered}",
    "@unless struck",
    "Status: ${status}, newest keys: ${has-newest-keys?yes:not as far as it said}",
    "@end",
    "@if struck",
    "Status: ${status} since ${struck}: ${reason}",
    "@end",
    "Acknowledges pushes: ${acknowledges?yes:not so far}",
    "Stats:",
    "    Pull Succeeded                 : ${stats.pull-succeeded}",
    "    Pull Failed                    : ${stats.pull-failed}",
    "    Push Unacknowledged            : ${stats.push-unacknowledged}",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const server_removed[] = {
    "@each group",
    "Group: ${group-name}, Group Id: ${group-id}",
    "  Total number of removed members: ${#member}",
    "@if member",
    "Member Gateway  Member IP       Removed                   Identity",
    "@each member",
    "${member-gateway|-}$>16${member-ip|-}$>32${removed}$>58${identity}",
    "@end",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const server_statistics[] = {
    "@each group",
    "Group: ${group-name}, Group Id: ${group-id}",
    "  Stats:",
    "      Pull Succeeded                 : ${stats.pull-succeeded}",
    "      Pull Failed                    : ${stats.pull-failed}",
    "      Pull Exceed Member Threshold   : ${stats.pull-exceed-member-threshold}",
    "      Pull Refused                   : ${stats.pull-refused}",
    "      Push Sent                      : ${stats.push-sent}",
    "      Push Acknowledged              : ${stats.push-acknowledged}",
    "      Push Unacknowledged            : ${stats.push-unacknowledged}",
    "      Push Messages                  : ${stats.push-messages}",
    "      Push Failed                    : ${stats.push-failed}",
    "      Heartbeats Sent                : ${stats.heartbeats-sent}",
    "      Deletes Sent                   : ${stats.deletes-sent}",
    "      Acknowledgements Repeated      : ${stats.acknowledgements-repeated}",
    "      Acknowledgements Refused       : ${stats.acknowledgements-refused}",
    "      Members Struck                 : ${stats.members-struck}",
    "      Members Reinstated             : ${stats.members-reinstated}",
    "",
    "@end",
    NULL,
};

static const char *const server_rekeyed[] = {
    "@each group",
    "${group-name}: new keys",
    "@if waits",
    "  They are made when the key change that runs is over, in ${made-in} seconds",
    "@end",
    "@if only-kek",
    "  ${members} members are told; pushes go under the new KEK from then on",
    "@end",
    "@unless only-kek",
    "  ${members} members are told, and send with them in ${switch-in} seconds, at ${switch-at}",
    "  The old ones end in ${drop-in} seconds, at ${drop-at}",
    "@end",
    "@end",
    NULL,
};

static const char *const server_removed_one[] = {
    "@each group",
    "${group-name}: the member is removed, and may not register until it is restored",
    "@if now",
    "  All keys were deleted: no traffic is protected by them, or opened, from now on",
    "  ${members} members have to register for new ones",
    "@end",
    "@unless now",
    "@if waits",
    "  New keys are made in ${made-in} seconds, when ${has-pushes?the key change that runs is over"
        ":the present ones are near their end}",
    "@end",
    "@if has-pushes",
    "  ${members} members are told to register for them",
    "@end",
    "@unless has-pushes",
    "  The group has no server-member-communication: ${members} members come for them by "
        "themselves",
    "@end",
    "  Until ${switch-at} (in ${switch-in} seconds) it can read what it receives",
    "  Until ${drop-at} (in ${drop-in} seconds) others open what it sends",
    "@end",
    "@end",
    NULL,
};

static const char *const server_restored[] = {
    "@each group",
    "${group-name}: the member may register again",
    "@end",
    NULL,
};

static const char *const server_cleared[] = {
    "@each group",
    "@if refusal",
    "${group-name}: not done: ${refusal}",
    "@end",
    "@unless refusal",
    "@if one-member",
    "${group-name}: the registration is forgotten; no pushes until the member registers again",
    "@end",
    "@unless one-member",
    "@if now",
    "${group-name}: all keys were deleted; no traffic until members have registered (${members})",
    "@end",
    "@unless now",
    "${group-name}: ${members} members are told to register for new keys",
    "@if waits",
    "  They are made when the key change that runs is over, in ${made-in} seconds",
    "@end",
    "  Members send with them in ${switch-in} seconds, at ${switch-at}",
    "  The old ones end in ${drop-in} seconds, at ${drop-at}",
    "@end",
    "@end",
    "@end",
    "@end",
    NULL,
};

static const char *const member_ipsec_brief[] = {
    "  Total active tunnels: ${total-active-tunnels}",
    "@if security-association",
    "  ID    Server          Port  Algorithm               SPI      Life:sec/kb  GId lsys",
    "@each security-association",
    "  ${sends?<>:< }${tunnel-index}$>10${gvpn-server}$>24${port}$>30${protocol}:"
        "${esp-encryption-algorithm}/${hmac-algorithm}$>54${spi}$>63${hard-lifetime}/ "
        "${lifesize-remaining}$>76${groupid}$>80${virtual-system}",
    "@end",
    "@end",
    NULL,
};

static const char *const member_ipsec_detail[] = {
    "@each vpn",
    "Virtual-system: ${virtual-system} Group VPN Name: ${vpn-name}",
    " Local Gateway: ${local-gateway}, GDOI Server: ${remote-gateway}",
    " Group Id: ${groupid}",
    " Routing Instance: ${vrf-name}",
    " Recovery Probe: ${recovery-probe?Enabled:Disabled}",
    " DF-bit: ${df-bit}",
    " State: ${state}",
    "@if group-clock",
    " Group clock: ${group-clock}",
    "@end",
    "@if last-error",
    " Last failure: ${last-error}",
    "@end",
    " Stats:",
    "     Pull Succeeded                 : ${stats.pull-succeeded}",
    "     Pull Failed                    : ${stats.pull-failed}",
    "     Pull Timeout                   : ${stats.pull-timeout}",
    "     Pull Aborted                   : ${stats.pull-aborted}",
    "     Push Succeeded                 : ${stats.push-succeeded}",
    "     Push Failed                    : ${stats.push-failed}",
    "     Server Failover                : ${stats.server-failover}",
    "     Delete Received                : ${stats.delete-received}",
    "     Exceed Maximum Keys(4)         : ${stats.exceed-maximum-keys}",
    "     Exceed Maximum Policies(10)    : ${stats.exceed-maximum-policies}",
    "     Unsupported Algo               : ${stats.unsupported-algorithm}",
    " Flags:",
    "     Rekey Needed: ${rekey-needed}",
    "@if security-association",
    " List of policies received from server:",
    "@each security-association",
    "@each policy",
    " Tunnel-id: ${tunnel-id}",
    "   Source IP: ipv4_subnet(${protocol-number|any}:${source-port},[0..7]=${source-prefix})",
    "   Destination IP: ipv4_subnet(${protocol-number|any}:${destination-port},[0..7]="
        "${dest-prefix})",
    "@end",
    "   Direction: ${direction}, SPI: ${spi}",
    "   Protocol: ${protocol}, Authentication: ${hmac-algorithm}, Encryption: "
        "${esp-encryption-algorithm}",
    "@unless activate-lifetime",
    "   Hard lifetime: Expires in ${hard-lifetime} seconds, ${sends?Activated:Receiving only}",
    "@end",
    "@if activate-lifetime",
    "   Hard lifetime: Expires in ${hard-lifetime} seconds, Activates in "
        "${activate-lifetime} seconds",
    "@end",
    "   Lifesize Remaining: Unlimited",
    "@if soft-lifetime",
    "   Soft lifetime: Expires in ${soft-lifetime} seconds",
    "@end",
    "   Mode: ${mode}, Type: ${type}, State: ${sa-state}",
    "@unless anti-replay-window",
    "   Anti-replay service: ${anti-replay-service}",
    "@end",
    "@if anti-replay-window",
    "   Anti-replay service: ${anti-replay-service}, window ${anti-replay-window} ms",
    "@end",
    "@end",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const member_kek_brief[] = {
    "@if kek",
    "Index   Server Address  Life:sec  Initiator cookie  Responder cookie  GroupId",
    "@each kek",
    "${security-association-index}$>8${server-address}$>24${life-remaining}"
        "$>34${initiator-cookie}$>52${responder-cookie}$>70${group-id}",
    "@end",
    "@end",
    NULL,
};

static const char *const member_kek_detail[] = {
    "@each kek",
    "Index ${security-association-index}, Group Id: ${group-id}",
    "Group VPN Name: ${group-vpn-name}",
    "Local Gateway: ${local-address}, GDOI Server: ${server-address}",
    "Initiator cookie: ${initiator-cookie}, Responder cookie: ${responder-cookie}",
    "Lifetime: Expires in ${life-remaining} seconds",
    "Group Key Push Sequence number: ${push-sequence-number}",
    "Algorithms:",
    " Sig-hash                : ${algorithms.authentication}",
    " Encryption              : ${algorithms.encryption}",
    "Acknowledgement: ${acknowledgement|not asked for}",
    "@if server-multicast-group",
    "Multicast Group: ${server-multicast-group}",
    "@end",
    "@if server-heartbeat-interval",
    "Heartbeat: every ${server-heartbeat-interval} seconds, last ${last-heartbeat|not heard yet}",
    "@if heartbeat-timeout-remaining",
    "Heartbeat Threshold: ${member-heartbeat-threshold}, missed in a row: "
        "${heartbeats-missed-in-a-row|0}, next missed in ${heartbeat-timeout-remaining} seconds",
    "@end",
    "@end",
    "Stats:",
    "    Push received              : ${stats.push-received}",
    "    Push rejected              : ${stats.push-rejected}",
    "    Push acknowledged          : ${stats.push-acknowledged}",
    "    Delete received            : ${stats.delete-received}",
    "    Heartbeats received        : ${stats.heartbeats-received}",
    "    Heartbeats missed          : ${stats.heartbeats-missed}",
    "",
    "@end",
    NULL,
};

static const char *const member_policy[] = {
    "@each vpn",
    "Group VPN Name: ${vpn-name}, Group Id: ${groupid}",
    "From-zone: ${from-zone}, To-zone: ${to-zone}",
    "@each policy",
    "Tunnel-id: ${tunnel-id}, Policy type: ${policy-type}",
    "   Source      : IP <${source-prefix.first} - ${source-prefix.last}>, Port <"
        "${source-port-first} - ${source-port-last}>, Protocol <${protocol-number}>",
    "   Destination : IP <${dest-prefix.first} - ${dest-prefix.last}>, Port <"
        "${dest-port-first} - ${dest-port-last}>, Protocol <${protocol-number}>",
    "@end",
    "",
    "@end",
    NULL,
};

static const char *const member_statistics[] = {
    "ESP Statistics:",
    "  Encrypted bytes:$>26${esp.encrypted-bytes}",
    "  Decrypted bytes:$>26${esp.decrypted-bytes}",
    "  Encrypted packets:$>26${esp.encrypted-packets}",
    "  Decrypted packets:$>26${esp.decrypted-packets}",
    "Errors:",
    "  Replay errors: ${errors.replay|0}",
    "  ESP authentication failures: "
        "${errors.esp-authentication-failures}, ESP decryption failures: "
        "${errors.esp-decryption-failures}",
    "  Bad headers: ${errors.bad-headers}, Bad trailers: ${errors.bad-trailers}",
    "  Invalid SPI: ${errors.invalid-spi}, TS check fail: ${errors.ts-check-fail}",
    "  Exceeds tunnel MTU: ${errors.exceeds-tunnel-mtu}, Discarded: ${errors.discarded}",
    "D3P time stamps:",
    "  Too old: ${d3p.too-old}, Too new: ${d3p.too-new}",
    "  No timestamp: ${d3p.no-timestamp}, Unexpected: ${d3p.unexpected}",
    "  Type errors: ${d3p.type-err}, Length errors: ${d3p.len-err}, "
        "Next header errors: ${d3p.next-hdr-err}",
    "Exclude packets: ${exclude-packets}",
    "Fail-open packets: ${fail-open-packets}",
    "Fail-close dropped packets: ${fail-close-dropped-packets}",
    "Clear packets dropped by the guard: ${clear-dropped-packets}",
    NULL,
};

static const char *const cleared[] = {
    "@each vpn",
    "${vpn-name}: registering again",
    "@end",
    NULL,
};

static const char *const configuration[] = {
    "@each line",
    "${text}",
    "@end",
    NULL,
};

static const char *const committed[] = {
    "@each finding",
    "${text}",
    "@end",
    "@each consequence",
    "${text}",
    "@end",
    "${result}",
    NULL,
};

static const char *const counters[] = {
    "${program}",
    "Datagrams:",
    "@each datagrams",
    "  ${name}$>34${count}",
    "@end",
    "Events:",
    "@each event",
    "  ${name}$>34${count}",
    "@end",
    "@if dropped",
    "Dropped datagrams:",
    "@each dropped",
    "  ${reason}$>58${count}",
    "@end",
    "@end",
    "@if tolerated",
    "Tolerated in messages of peers:",
    "@each tolerated",
    "  ${name}$>34${count}",
    "@end",
    "@end",
    NULL,
};

static const char *const version[] = {
    "${program} ${version} on ${host}, process ${process}, since ${since}",
    "Configuration: ${configuration}",
    "Cryptography: ${cryptography}",
    NULL,
};

/* A line for each event is made where they come in (cli/monitor.c). */
static const char *const nothing[] = {NULL};

static const struct {
    const char *const *brief, *const *detail;
} views[CTL_COMMAND_COUNT] = {
    [CTL_SHOW_SERVER_IKE]        = {server_ike_brief, ike_detail},
    [CTL_SHOW_SERVER_IPSEC]      = {server_ipsec_brief, server_ipsec_detail},
    [CTL_SHOW_SERVER_KEK]        = {server_kek_brief, server_kek_detail},
    [CTL_SHOW_SERVER_MEMBERS]    = {server_members_brief, server_members_detail},
    [CTL_SHOW_SERVER_REMOVED]    = {server_removed, server_removed},
    [CTL_SHOW_SERVER_STATISTICS] = {server_statistics, server_statistics},
    [CTL_CLEAR_SERVER]           = {server_cleared, server_cleared},
    [CTL_REQUEST_REKEY]          = {server_rekeyed, server_rekeyed},
    [CTL_REQUEST_REMOVE]         = {server_removed_one, server_removed_one},
    [CTL_REQUEST_RESTORE]        = {server_restored, server_restored},
    [CTL_SHOW_MEMBER_IKE]        = {server_ike_brief, ike_detail},
    [CTL_SHOW_MEMBER_IPSEC]      = {member_ipsec_brief, member_ipsec_detail},
    [CTL_SHOW_MEMBER_STATISTICS] = {member_statistics, member_statistics},
    [CTL_SHOW_MEMBER_KEK]        = {member_kek_brief, member_kek_detail},
    [CTL_SHOW_MEMBER_POLICY]     = {member_policy, member_policy},
    [CTL_CLEAR_MEMBER_GROUP]     = {cleared, cleared},
    [CTL_COMMIT]                 = {committed, committed},
    [CTL_SHOW_CONFIGURATION]     = {configuration, configuration},
    [CTL_SHOW_COUNTERS]          = {counters, counters},
    [CTL_SHOW_VERSION]           = {version, version},
    [CTL_MONITOR]                = {nothing, nothing},
};
// clang-format on

const char *const *cli_view_of(enum ctl_command_id id, bool detail)
{
    assert((unsigned)id < CTL_COMMAND_COUNT);
    return detail ? views[id].detail : views[id].brief;
}
