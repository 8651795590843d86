/* security group-vpn member: the statements of Group VPNv1 and v2, SRX and MX, in one tree. */
#include "conf/schema_rows.h"

static const struct conf_choice df_bit[] = {
    {"clear", "Clear it", 0},
    {"set", "Set it", 1},
    {"copy", "Copy it from the packet inside", 2},
    {0},
};

static const struct conf_choice match_direction[] = {
    {"input", "Traffic that comes in", 0},
    {"output", "Traffic that goes out", 1},
    {0},
};

static const struct conf_schema ike_proposal[] = {
    {DESCRIPTION},
    {CHOICE("authentication-method", "How the peers prove who they are", conf_choice_ike_auth),
     .dflt = "pre-shared-keys"},
    {CHOICE("dh-group", "Diffie-Hellman group", conf_choice_dh_group), .mandatory = true},
    {CHOICE("authentication-algorithm", "Hash algorithm", conf_choice_ike_hash), .mandatory = true},
    {CHOICE("encryption-algorithm", "Cipher", conf_choice_ike_cipher), .mandatory = true},
    {NUMBER("lifetime-seconds", "Life of the IKE SA", 180, 86400), .dflt = "180",
     .unit = "seconds"},
    {0},
};

static const struct conf_schema ike_gateway[] = {
    {TEXT("ike-policy", "IKE policy", CONF_T_NAME, 1, 32), .mandatory = true,
     REFERS("ike", "policy",
            "Referenced IKE policy must be defined under [edit security group-vpn member ike "
            "policy]")},
    {ROW("address", "The server's address", CONF_LEAF_LIST), .type = CONF_T_IPV4, .max_elements = 1,
     .max_elements_text =
         "Only one remote address is allowed to be configured per IKE gateway configuration"},
    {ROW("server-address", "The servers' addresses, in the order to try", CONF_LEAF_LIST),
     .type = CONF_T_IPV4, .max_elements = 4},
    {BLOCK("local-identity", "What we say we are", conf_schema_identity), .one_line = true},
    {BLOCK("remote-identity", "What the server must say it is", conf_schema_identity),
     .one_line = true},
    {LEAF("local-address", "Our address", CONF_T_IPV4), .mandatory = true},
    {TEXT("routing-instance", "Routing instance", CONF_T_NAME, 1, 63), .dflt = "default"},
    {0},
};

static const struct conf_schema ike[] = {
    {BLOCK("traceoptions", "Traces", conf_schema_traceoptions), .unbuilt = ""},
    {ROW("proposal", "IKE proposal", CONF_LIST), NAME_32(CONF_T_IDENTIFIER),
     .children = ike_proposal},
    {NAMED("policy", "IKE policy", conf_schema_ike_policy)},
    {NAMED("gateway", "Key server", ike_gateway)},
    {0},
};

static const struct conf_schema rule[] = {
    {LEAF("source-address", "Source prefix; any when absent", CONF_T_PREFIX), .dflt = "0.0.0.0/0"},
    {LEAF("destination-address", "Destination prefix; any when absent", CONF_T_PREFIX),
     .dflt = "0.0.0.0/0"},
    {TEXT("application", "Predefined application, such as junos-bgp, or any", CONF_T_NAME, 1, 63),
     .dflt = "any"},
    {0},
};

static const struct conf_schema rules[] = {
    {ROW("rule", "A rule", CONF_LIST), .type = CONF_T_IDENTIFIER, .min = 1, .max = 63,
     .max_elements = 10, .mandatory = true, .children = rule},
    {0},
};

static const struct conf_schema vpn[] = {
    {TEXT("ike-gateway", "Key server", CONF_T_NAME, 1, 32), .mandatory = true,
     REFERS("ike", "gateway",
            "Referenced IKE gateway must be defined under [edit security group-vpn member ike "
            "gateway]")},
    {TEXT("group-vpn-external-interface", "Interface towards the other members", CONF_T_INTERFACE,
          1, INTERFACE_NAME_MAX),
     .mandatory = true},
    {NUMBER("group", "The group's number at the server", 1, UINT32_MAX), .mandatory = true},
    {CHOICE("match-direction", "Direction of the traffic to protect", match_direction),
     .unbuilt = ""},
    {NUMBER("tunnel-mtu", "Largest packet after encryption", 256, 9192), .dflt = "1500",
     .unit = "octets"},
    {NUMBER("heartbeat-threshold", "Heartbeats missed before registering again; 0 to ignore them",
            0, 10),
     .dflt = "3"},
    {FLAG("recovery-probe", "Register again when traffic shows that a key was missed")},
    {CHOICE("df-bit", "The \"don't fragment\" bit of the packet outside", df_bit), .dflt = "clear"},
    {FLAG("forward-policy-mismatch", "Forward packets that match no policy"), .unbuilt = ""},
    {BLOCK("exclude", "Traffic that is never protected", rules)},
    {BLOCK("fail-open", "Traffic that passes in clear while there is no key", rules)},
    {0},
};

static const struct conf_schema ipsec[] = {
    {NAMED("vpn", "Membership of a group", vpn)},
    {0},
};

const struct conf_schema conf_schema_member[] = {
    {BLOCK("ike", "Phase 1", ike)},
    {BLOCK("ipsec", "Protection of data", ipsec)},
    {0},
};
