/* security group-vpn member: the statements of Group VPNv1 and v2, SRX and MX, in one tree. */
#include "conf/schema.h"

// clang-format off
static const struct conf_choice df_bit[] = {
    {"clear", "Clear it",                 0},
    {"set",   "Set it",                   1},
    {"copy",  "Copy it from the packet inside", 2},
    {0},
};

static const struct conf_choice match_direction[] = {
    {"input",  "Traffic that comes in", 0},
    {"output", "Traffic that goes out", 1},
    {0},
};

static const struct conf_schema ike_proposal[] = {
    {.name = "description",              .help = "Text description", .kind = CONF_LEAF, .type = CONF_T_TEXT, .min = 1, .max = 80},
    {.name = "authentication-method",    .help = "How the peers prove who they are", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_ike_auth, .dflt = "pre-shared-keys"},
    {.name = "dh-group",                 .help = "Diffie-Hellman group", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_dh_group, .mandatory = true},
    {.name = "authentication-algorithm", .help = "Hash algorithm", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_ike_hash, .mandatory = true},
    {.name = "encryption-algorithm",     .help = "Cipher", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_ike_cipher, .mandatory = true},
    {.name = "lifetime-seconds",         .help = "Life of the IKE SA", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 180, .max = 86400, .dflt = "180", .unit = "seconds"},
    {0},
};

static const struct conf_schema ike_policy[] = {
    {.name = "mode",           .help = "Exchange of phase 1", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_ike_mode, .dflt = "main"},
    {.name = "description",    .help = "Text description", .kind = CONF_LEAF, .type = CONF_T_TEXT, .min = 1, .max = 80},
    {.name = "proposals",      .help = "IKE proposals, the best first", .kind = CONF_LEAF_LIST, .type = CONF_T_IDENTIFIER, .min = 1, .max = 32,
     .ref_container = "ike", .ref_list = "proposal", .ref_text = "Referenced proposal is not defined"},
    {.name = "proposal-set",   .help = "A ready-made set of proposals", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_proposal_set},
    {.name = "pre-shared-key", .help = "The key that both peers know", .kind = CONF_CONTAINER, .one_line = true, .children = conf_schema_pre_shared_key},
    {.name = "certificate",    .help = "Certificates", .kind = CONF_CONTAINER, .children = conf_schema_certificate, .unbuilt = "expected pre-shared-key"},
    {0},
};

static const struct conf_schema ike_gateway[] = {
    {.name = "ike-policy",       .help = "IKE policy", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 32, .mandatory = true,
     .ref_container = "ike", .ref_list = "policy", .ref_text = "Referenced IKE policy must be defined under [edit security group-vpn member ike policy]"},
    {.name = "address",          .help = "The server's address", .kind = CONF_LEAF_LIST, .type = CONF_T_IPV4, .max_elements = 1,
     .max_elements_text = "Only one remote address is allowed to be configured per IKE gateway configuration"},
    {.name = "server-address",   .help = "The servers' addresses, in the order to try", .kind = CONF_LEAF_LIST, .type = CONF_T_IPV4, .max_elements = 4},
    {.name = "local-identity",   .help = "What we say we are", .kind = CONF_CONTAINER, .one_line = true, .children = conf_schema_identity},
    {.name = "remote-identity",  .help = "What the server must say it is", .kind = CONF_CONTAINER, .one_line = true, .children = conf_schema_identity},
    {.name = "local-address",    .help = "Our address", .kind = CONF_LEAF, .type = CONF_T_IPV4, .mandatory = true},
    {.name = "routing-instance", .help = "Routing instance", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 63, .dflt = "default"},
    {0},
};

static const struct conf_schema ike[] = {
    {.name = "traceoptions", .help = "Traces", .kind = CONF_CONTAINER, .children = conf_schema_traceoptions, .unbuilt = ""},
    {.name = "proposal",     .help = "IKE proposal", .kind = CONF_LIST, .type = CONF_T_IDENTIFIER, .min = 1, .max = 32, .children = ike_proposal},
    {.name = "policy",       .help = "IKE policy", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .children = ike_policy},
    {.name = "gateway",      .help = "Key server", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .children = ike_gateway},
    {0},
};

static const struct conf_schema rule[] = {
    {.name = "source-address",      .help = "Source prefix; any when absent", .kind = CONF_LEAF, .type = CONF_T_PREFIX, .dflt = "0.0.0.0/0"},
    {.name = "destination-address", .help = "Destination prefix; any when absent", .kind = CONF_LEAF, .type = CONF_T_PREFIX, .dflt = "0.0.0.0/0"},
    {.name = "application",         .help = "Predefined application, such as junos-bgp, or any", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 63, .dflt = "any"},
    {0},
};

static const struct conf_schema rules[] = {
    {.name = "rule", .help = "A rule", .kind = CONF_LIST, .type = CONF_T_IDENTIFIER, .min = 1, .max = 63, .max_elements = 10, .mandatory = true, .children = rule},
    {0},
};

static const struct conf_schema vpn[] = {
    {.name = "ike-gateway",                  .help = "Key server", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 32, .mandatory = true,
     .ref_container = "ike", .ref_list = "gateway", .ref_text = "Referenced IKE gateway must be defined under [edit security group-vpn member ike gateway]"},
    {.name = "group-vpn-external-interface", .help = "Interface towards the other members", .kind = CONF_LEAF, .type = CONF_T_INTERFACE, .min = 1, .max = 64, .mandatory = true},
    {.name = "group",                        .help = "The group's number at the server", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 1, .max = UINT32_MAX, .mandatory = true},
    {.name = "match-direction",              .help = "Direction of the traffic to protect", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = match_direction, .unbuilt = ""},
    {.name = "tunnel-mtu",                   .help = "Largest packet after encryption", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 256, .max = 9192, .dflt = "1500", .unit = "octets"},
    {.name = "heartbeat-threshold",          .help = "Heartbeats missed before registering again; 0 to ignore them", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .max = 10, .dflt = "3", .unbuilt = ""},
    {.name = "recovery-probe",               .help = "Register again when traffic shows that a key was missed", .kind = CONF_FLAG, .unbuilt = ""},
    {.name = "df-bit",                       .help = "The \"don't fragment\" bit of the packet outside", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = df_bit, .dflt = "clear"},
    {.name = "forward-policy-mismatch",      .help = "Forward packets that match no policy", .kind = CONF_FLAG, .unbuilt = ""},
    {.name = "exclude",                      .help = "Traffic that is never protected", .kind = CONF_CONTAINER, .children = rules},
    {.name = "fail-open",                    .help = "Traffic that passes in clear while there is no key", .kind = CONF_CONTAINER, .children = rules},
    {0},
};

static const struct conf_schema ipsec[] = {
    {.name = "vpn", .help = "Membership of a group", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .children = vpn},
    {0},
};

const struct conf_schema conf_schema_member[] = {
    {.name = "ike",   .help = "Phase 1", .kind = CONF_CONTAINER, .children = ike},
    {.name = "ipsec", .help = "Protection of data", .kind = CONF_CONTAINER, .children = ipsec},
    {0},
};
// clang-format on
