/* security group-vpn server: the Junos 10.2 statement, with the algorithms that we add. */
#include "conf/schema.h"

// clang-format off
static const struct conf_choice esp_auth[] = {
    {"hmac-md5-96",       "HMAC-MD5, 96 bits",      1, .weak = ""},
    {"hmac-sha1-96",      "HMAC-SHA-1, 96 bits",    2, .weak = ""},
    {"hmac-sha-256-128",  "HMAC-SHA-256, 128 bits", 5},
    {"hmac-sha-384-192",  "HMAC-SHA-384, 192 bits", 6},
    {"hmac-sha-512-256",  "HMAC-SHA-512, 256 bits", 7},
    {0},
};

static const struct conf_choice esp_cipher[] = {
    {"3des-cbc",    "3DES, 168-bit keys",               3, .weak = ""},
    {"aes-128-cbc", "AES, 128-bit keys",                12, 128},
    {"aes-192-cbc", "AES, 192-bit keys",                12, 192},
    {"aes-256-cbc", "AES, 256-bit keys",                12, 256},
    {"aes-128-gcm", "AES-GCM, 128-bit keys, 16-octet tag", 20, 128},
    {"aes-192-gcm", "AES-GCM, 192-bit keys, 16-octet tag", 20, 192},
    {"aes-256-gcm", "AES-GCM, 256-bit keys, 16-octet tag", 20, 256},
    {"des-cbc",     "DES, 56-bit keys",                 2, .weak = ""},
    {0},
};

static const struct conf_choice kek_cipher[] = {
    {"3des-cbc",    "3DES, 168-bit keys", 2, .weak = ""},
    {"aes-128-cbc", "AES, 128-bit keys",  3, 128},
    {"aes-192-cbc", "AES, 192-bit keys",  3, 192},
    {"aes-256-cbc", "AES, 256-bit keys",  3, 256},
    {"des-cbc",     "DES, 56-bit keys",   1, .weak = ""},
    {0},
};

static const struct conf_choice sig_hash[] = {
    {"md5",     "MD5 hash",     1, .weak = ""},
    {"sha1",    "SHA-1 hash",   2, .weak = ""},
    {"sha-256", "SHA-256 hash", 3},
    {"sha-384", "SHA-384 hash", 4},
    {"sha-512", "SHA-512 hash", 5},
    {0},
};

static const struct conf_choice communication_type[] = {
    {"unicast",   "One copy for each member, acknowledged",     0},
    {"multicast", "One stream for all members, unacknowledged", 1},
    {0},
};

static const struct conf_choice server_role[] = {
    {"root-server", "The server that makes the keys",    0},
    {"sub-server",  "A server that takes them from the root", 1},
    {0},
};

static const struct conf_schema ike_proposal[] = {
    {.name = "description",              .help = "Text description", .kind = CONF_LEAF, .type = CONF_T_TEXT, .min = 1, .max = 80},
    {.name = "authentication-method",    .help = "How the peers prove who they are", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_ike_auth, .dflt = "pre-shared-keys"},
    {.name = "dh-group",                 .help = "Diffie-Hellman group", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_dh_group, .mandatory = true},
    {.name = "authentication-algorithm", .help = "Hash algorithm", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_ike_hash, .mandatory = true},
    {.name = "encryption-algorithm",     .help = "Cipher", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = conf_choice_ike_cipher, .mandatory = true},
    {.name = "lifetime-seconds",         .help = "Life of the IKE SA; without it the initiator's is taken", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 180, .max = 86400, .unit = "seconds"},
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

static const struct conf_schema distinguished_name[] = {
    {.name = "container", .help = "Fields that must stand in this order", .kind = CONF_LEAF, .type = CONF_T_TEXT, .min = 1, .max = 255},
    {.name = "wildcard",  .help = "Fields in any order", .kind = CONF_LEAF, .type = CONF_T_TEXT, .min = 1, .max = 255},
    {0},
};

static const struct conf_schema dynamic[] = {
    {.name = "distinguished-name", .help = "The subject of the member's certificate", .kind = CONF_CONTAINER, .children = distinguished_name,
     .unbuilt = "expected hostname, inet, user-at-hostname or key-id"},
    {.name = "hostname",         .help = "The member's domain name",  .kind = CONF_LEAF, .type = CONF_T_HOSTNAME, .min = 1, .max = 255},
    {.name = "inet",             .help = "The member's IPv4 identity", .kind = CONF_LEAF, .type = CONF_T_IPV4},
    {.name = "user-at-hostname", .help = "The member's mail address", .kind = CONF_LEAF, .type = CONF_T_USER, .min = 3, .max = 255},
    {.name = "key-id",           .help = "The member's opaque text",  .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 255},
    {0},
};

static const struct conf_schema dead_peer_detection[] = {
    {.name = "always-send", .help = "Probe also while there is traffic", .kind = CONF_FLAG},
    {.name = "interval",    .help = "Time between probes", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 10, .max = 60, .dflt = "10", .unit = "seconds"},
    {.name = "threshold",   .help = "Probes without an answer", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 1, .max = 5, .dflt = "5"},
    {0},
};

static const struct conf_schema ike_gateway[] = {
    {.name = "ike-policy",          .help = "IKE policy", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 32, .mandatory = true,
     .ref_container = "ike", .ref_list = "policy", .ref_text = "Referenced IKE policy must be defined under [edit security group-vpn server ike policy]"},
    {.name = "address",             .help = "The member's address", .kind = CONF_LEAF, .type = CONF_T_IPV4},
    {.name = "dynamic",             .help = "A member whose address is not fixed", .kind = CONF_CONTAINER, .one_line = true, .children = dynamic},
    {.name = "dead-peer-detection", .help = "Ask whether the peer is there", .kind = CONF_CONTAINER, .children = dead_peer_detection, .unbuilt = ""},
    {.name = "local-identity",      .help = "What we say we are", .kind = CONF_CONTAINER, .one_line = true, .children = conf_schema_identity},
    {.name = "remote-identity",     .help = "What the member must say he is", .kind = CONF_CONTAINER, .one_line = true, .children = conf_schema_identity},
    {.name = "local-address",       .help = "Our address for this member", .kind = CONF_LEAF, .type = CONF_T_IPV4},
    {.name = "routing-instance",    .help = "Routing instance", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 63, .dflt = "default"},
    {0},
};

static const struct conf_schema ike[] = {
    {.name = "proposal", .help = "IKE proposal", .kind = CONF_LIST, .type = CONF_T_IDENTIFIER, .min = 1, .max = 32, .children = ike_proposal},
    {.name = "policy",   .help = "IKE policy",   .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .children = ike_policy},
    {.name = "gateway",  .help = "Member",       .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .children = ike_gateway},
    {0},
};

static const struct conf_schema ipsec_proposal[] = {
    {.name = "description",              .help = "Text description", .kind = CONF_LEAF, .type = CONF_T_TEXT, .min = 1, .max = 80},
    {.name = "authentication-algorithm", .help = "Integrity algorithm; none with AES-GCM", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = esp_auth},
    {.name = "encryption-algorithm",     .help = "Cipher", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = esp_cipher, .mandatory = true},
    {.name = "lifetime-seconds",         .help = "Life of a data key", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 180, .max = 86400, .dflt = "3600", .unit = "seconds"},
    {0},
};

static const struct conf_schema ipsec[] = {
    {.name = "proposal", .help = "IPsec proposal", .kind = CONF_LIST, .type = CONF_T_IDENTIFIER, .min = 1, .max = 32, .children = ipsec_proposal},
    {0},
};

static const struct conf_schema match_policy[] = {
    {.name = "source",           .help = "Source prefix; 0.0.0.0/0 for any", .kind = CONF_LEAF, .type = CONF_T_PREFIX, .mandatory = true},
    {.name = "destination",      .help = "Destination prefix; 0.0.0.0/0 for any", .kind = CONF_LEAF, .type = CONF_T_PREFIX, .mandatory = true},
    {.name = "source-port",      .help = "Source port; 0 for any", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .max = 65535, .dflt = "0"},
    {.name = "destination-port", .help = "Destination port; 0 for any", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .max = 65535, .dflt = "0"},
    {.name = "protocol",         .help = "IP protocol; 0 for any", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .max = 254, .dflt = "0"},
    {0},
};

static const struct conf_schema ipsec_sa[] = {
    {.name = "proposal",     .help = "IPsec proposal", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 32, .mandatory = true,
     .ref_container = "ipsec", .ref_list = "proposal", .ref_text = "Referenced proposal is not defined"},
    {.name = "match-policy", .help = "Traffic that this key protects", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .mandatory = true, .max_elements = 10, .children = match_policy},
    {0},
};

static const struct conf_schema communication[] = {
    {.name = "communication-type",           .alias = "communications-type", .help = "How rekey messages are sent", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = communication_type, .dflt = "unicast"},
    {.name = "multicast-group",              .help = "Multicast address for rekey messages", .kind = CONF_LEAF, .type = CONF_T_MULTICAST},
    {.name = "multicast-outgoing-interface", .help = "Interface for multicast rekey messages", .kind = CONF_LEAF, .type = CONF_T_INTERFACE, .min = 1, .max = 64},
    {.name = "encryption-algorithm",         .help = "Cipher of the rekey messages", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = kek_cipher, .mandatory = true},
    {.name = "sig-hash-algorithm",           .help = "Hash of the signature of rekey messages", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = sig_hash, .mandatory = true},
    {.name = "certificate",                  .help = "The RSA key pair that signs rekey messages", .kind = CONF_LEAF, .type = CONF_T_NAME, .min = 1, .max = 32},
    {.name = "lifetime-seconds",             .help = "Life of the key encryption key", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 180, .max = 86400, .dflt = "3600", .unit = "seconds"},
    {.name = "heartbeat",                    .help = "Time between heartbeats", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 60, .max = 3600, .dflt = "300", .unit = "seconds"},
    {.name = "number-of-retransmission",     .help = "Unicast: repeats without an answer; multicast: copies", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .max = 60, .dflt = "2"},
    {.name = "retransmission-period",        .help = "Time between repeats or copies", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 2, .max = 60, .dflt = "4", .unit = "seconds"},
    {0},
};

static const struct conf_schema server_cluster[] = {
    {.name = "server-role",           .help = "What this server is in the cluster", .kind = CONF_LEAF, .type = CONF_T_CHOICE, .choices = server_role, .mandatory = true},
    {.name = "ike-gateway",           .help = "Other servers of the cluster", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32,
     .ref_container = "ike", .ref_list = "gateway", .ref_text = "Referenced IKE gateway must be defined with dead-peer-detection always-send mode"},
    {.name = "retransmission-period", .help = "Time between repeats of an update", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 2, .max = 60, .dflt = "10", .unit = "seconds"},
    {0},
};

static const struct conf_schema group[] = {
    {.name = "description",                 .help = "Text description", .kind = CONF_LEAF, .type = CONF_T_TEXT, .min = 1, .max = 80},
    {.name = "group-id",                    .help = "The number that members ask for", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 1, .max = 65535, .mandatory = true},
    {.name = "member-threshold",            .help = "Most members that may register", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .max = UINT32_MAX, .unbuilt = ""},
    {.name = "server-cluster",              .help = "Several servers for this group", .kind = CONF_CONTAINER, .children = server_cluster, .unbuilt = ""},
    {.name = "ike-gateway",                 .help = "A member that may register", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .mandatory = true,
     .ref_container = "ike", .ref_list = "gateway", .ref_text = "Referenced IKE gateway must be defined under [edit security group-vpn server ike gateway]"},
    {.name = "activation-time-delay",       .help = "Wait before a new key is used", .kind = CONF_LEAF, .type = CONF_T_NUMBER, .min = 10, .max = 900, .dflt = "15", .unit = "seconds"},
    {.name = "anti-replay-time-window",     .help = "Time-based anti-replay window: seconds, or milliseconds with ms behind", .kind = CONF_LEAF, .type = CONF_T_WINDOW, .dflt = "100", .unit = "seconds",
     .unbuilt = "expected no-anti-replay"},
    {.name = "no-anti-replay",              .help = "No time-based anti-replay", .kind = CONF_FLAG},
    {.name = "server-address",              .help = "The address that this group's server answers at and sends from", .kind = CONF_LEAF, .type = CONF_T_IPV4, .mandatory = true},
    {.name = "server-member-communication", .help = "Rekey messages from the server to the members", .kind = CONF_CONTAINER, .children = communication,
     .unbuilt = "members renew their keys by registering again; delete or deactivate the statement"},
    {.name = "ipsec-sa",                    .help = "A data key and what it protects", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .mandatory = true, .children = ipsec_sa},
    {0},
};

const struct conf_schema conf_schema_server[] = {
    {.name = "traceoptions", .help = "Traces", .kind = CONF_CONTAINER, .children = conf_schema_traceoptions, .unbuilt = ""},
    {.name = "ike",          .help = "Phase 1", .kind = CONF_CONTAINER, .children = ike},
    {.name = "ipsec",        .help = "Protection of data", .kind = CONF_CONTAINER, .children = ipsec},
    {.name = "group",        .help = "A group", .kind = CONF_LIST, .type = CONF_T_NAME, .min = 1, .max = 32, .max_elements = 50, .children = group},
    {0},
};
// clang-format on
