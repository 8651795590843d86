/* security group-vpn server: the Junos 10.2 statement, with the algorithms that we add. */
#include "conf/schema_rows.h"

static const struct conf_choice esp_auth[] = {
    {"hmac-md5-96", "HMAC-MD5, 96 bits", 1, .weak = ""},
    {"hmac-sha1-96", "HMAC-SHA-1, 96 bits", 2, .weak = ""},
    {"hmac-sha-256-128", "HMAC-SHA-256, 128 bits", 5},
    {"hmac-sha-384-192", "HMAC-SHA-384, 192 bits", 6},
    {"hmac-sha-512-256", "HMAC-SHA-512, 256 bits", 7},
    {0},
};

static const struct conf_choice esp_cipher[] = {
    {"3des-cbc", "3DES, 168-bit keys", 3, .weak = ""},
    {"aes-128-cbc", "AES, 128-bit keys", 12, 128},
    {"aes-192-cbc", "AES, 192-bit keys", 12, 192},
    {"aes-256-cbc", "AES, 256-bit keys", 12, 256},
    {"aes-128-gcm", "AES-GCM, 128-bit keys, 16-octet tag", 20, 128},
    {"aes-192-gcm", "AES-GCM, 192-bit keys, 16-octet tag", 20, 192},
    {"aes-256-gcm", "AES-GCM, 256-bit keys, 16-octet tag", 20, 256},
    {"des-cbc", "DES, 56-bit keys", 2, .weak = ""},
    {0},
};

static const struct conf_choice kek_cipher[] = {
    {"3des-cbc", "3DES, 168-bit keys", 2, .weak = ""}, {"aes-128-cbc", "AES, 128-bit keys", 3, 128},
    {"aes-192-cbc", "AES, 192-bit keys", 3, 192},      {"aes-256-cbc", "AES, 256-bit keys", 3, 256},
    {"des-cbc", "DES, 56-bit keys", 1, .weak = ""},    {0},
};

static const struct conf_choice sig_hash[] = {
    {"md5", "MD5 hash", 1, .weak = ""}, {"sha1", "SHA-1 hash", 2, .weak = ""},
    {"sha-256", "SHA-256 hash", 3},     {"sha-384", "SHA-384 hash", 4},
    {"sha-512", "SHA-512 hash", 5},     {0},
};

static const struct conf_choice communication_type[] = {
    {"unicast", "One copy for each member, acknowledged", 0},
    {"multicast", "One stream for all members, unacknowledged", 1},
    {0},
};

static const struct conf_choice server_role[] = {
    {"root-server", "The server that makes the keys", 0},
    {"sub-server", "A server that takes them from the root", 1},
    {0},
};

static const struct conf_schema ike_proposal[] = {
    {DESCRIPTION},
    {CHOICE("authentication-method", "How the peers prove who they are", conf_choice_ike_auth),
     .dflt = "pre-shared-keys"},
    {CHOICE("dh-group", "Diffie-Hellman group", conf_choice_dh_group), .mandatory = true},
    {CHOICE("authentication-algorithm", "Hash algorithm", conf_choice_ike_hash), .mandatory = true},
    {CHOICE("encryption-algorithm", "Cipher", conf_choice_ike_cipher), .mandatory = true},
    {NUMBER("lifetime-seconds", "Life of the IKE SA; without it the initiator's is taken", 180,
            86400),
     .unit = "seconds"},
    {0},
};

static const struct conf_schema distinguished_name[] = {
    {TEXT("container", "Fields that must stand in this order", CONF_T_TEXT, 1, 255)},
    {TEXT("wildcard", "Fields in any order", CONF_T_TEXT, 1, 255)},
    {0},
};

static const struct conf_schema dynamic[] = {
    {BLOCK("distinguished-name", "The subject of the member's certificate", distinguished_name),
     .unbuilt = "expected hostname, inet, user-at-hostname or key-id"},
    {TEXT("hostname", "The member's domain name", CONF_T_HOSTNAME, 1, 255)},
    {LEAF("inet", "The member's IPv4 identity", CONF_T_IPV4)},
    {TEXT("user-at-hostname", "The member's mail address", CONF_T_USER, 3, 255)},
    {TEXT("key-id", "The member's opaque text", CONF_T_NAME, 1, 255)},
    {0},
};

static const struct conf_schema dead_peer_detection[] = {
    {FLAG("always-send", "Probe also while there is traffic")},
    {NUMBER("interval", "Time between probes", 10, 60), .dflt = "10", .unit = "seconds"},
    {NUMBER("threshold", "Probes without an answer", 1, 5), .dflt = "5"},
    {0},
};

static const struct conf_schema ike_gateway[] = {
    {TEXT("ike-policy", "IKE policy", CONF_T_NAME, 1, 32), .mandatory = true,
     REFERS("ike", "policy",
            "Referenced IKE policy must be defined under [edit security group-vpn server ike "
            "policy]")},
    {LEAF("address", "The member's address", CONF_T_IPV4)},
    {BLOCK("dynamic", "A member whose address is not fixed", dynamic), .one_line = true},
    {BLOCK("dead-peer-detection", "Ask whether the peer is there", dead_peer_detection),
     .unbuilt = ""},
    {BLOCK("local-identity", "What we say we are", conf_schema_identity), .one_line = true},
    {BLOCK("remote-identity", "What the member must say he is", conf_schema_identity),
     .one_line = true},
    {LEAF("local-address", "Our address for this member", CONF_T_IPV4)},
    {TEXT("routing-instance", "Routing instance", CONF_T_NAME, 1, 63), .dflt = "default"},
    {0},
};

static const struct conf_schema ike[] = {
    {ROW("proposal", "IKE proposal", CONF_LIST), NAME_32(CONF_T_IDENTIFIER),
     .children = ike_proposal},
    {NAMED("policy", "IKE policy", conf_schema_ike_policy)},
    {NAMED("gateway", "Member", ike_gateway)},
    {0},
};

static const struct conf_schema ipsec_proposal[] = {
    {DESCRIPTION},
    {CHOICE("authentication-algorithm", "Integrity algorithm; none with AES-GCM", esp_auth)},
    {CHOICE("encryption-algorithm", "Cipher", esp_cipher), .mandatory = true},
    {NUMBER("lifetime-seconds", "Life of a data key", 180, 86400), .dflt = "3600",
     .unit = "seconds"},
    {0},
};

static const struct conf_schema ipsec[] = {
    {ROW("proposal", "IPsec proposal", CONF_LIST), NAME_32(CONF_T_IDENTIFIER),
     .children = ipsec_proposal},
    {0},
};

static const struct conf_schema match_policy[] = {
    {LEAF("source", "Source prefix; 0.0.0.0/0 for any", CONF_T_PREFIX), .mandatory = true},
    {LEAF("destination", "Destination prefix; 0.0.0.0/0 for any", CONF_T_PREFIX),
     .mandatory = true},
    {NUMBER("source-port", "Source port; 0 for any", 0, 65535), .dflt = "0"},
    {NUMBER("destination-port", "Destination port; 0 for any", 0, 65535), .dflt = "0"},
    {NUMBER("protocol", "IP protocol; 0 for any", 0, 254), .dflt = "0"},
    {0},
};

static const struct conf_schema ipsec_sa[] = {
    {TEXT("proposal", "IPsec proposal", CONF_T_NAME, 1, 32), .mandatory = true,
     REFERS("ipsec", "proposal", "Referenced proposal is not defined")},
    {NAMED("match-policy", "Traffic that this key protects", match_policy), .mandatory = true,
     .max_elements = 10},
    {0},
};

static const struct conf_schema communication[] = {
    {CHOICE("communication-type", "How rekey messages are sent", communication_type),
     .alias = "communications-type", .dflt = "unicast"},
    {LEAF("multicast-group", "Multicast address for rekey messages", CONF_T_MULTICAST)},
    {TEXT("multicast-outgoing-interface", "Interface for multicast rekey messages",
          CONF_T_INTERFACE, 1, INTERFACE_NAME_MAX)},
    {CHOICE("encryption-algorithm", "Cipher of the rekey messages", kek_cipher), .mandatory = true},
    {CHOICE("sig-hash-algorithm", "Hash of the signature of rekey messages", sig_hash),
     .mandatory = true},
    {TEXT("certificate", "The RSA key pair that signs rekey messages", CONF_T_FILE_NAME, 1, 32)},
    {NUMBER("lifetime-seconds", "Life of the key encryption key", 180, 86400), .dflt = "3600",
     .unit = "seconds"},
    {NUMBER("heartbeat", "Time between heartbeats", 60, 3600), .dflt = "300", .unit = "seconds"},
    {NUMBER("number-of-retransmission", "Unicast: repeats without an answer; multicast: copies", 0,
            60),
     .dflt = "2"},
    {NUMBER("retransmission-period", "Time between repeats or copies", 2, 60), .dflt = "4",
     .unit = "seconds"},
    {0},
};

static const struct conf_schema server_cluster[] = {
    {CHOICE("server-role", "What this server is in the cluster", server_role), .mandatory = true},
    {NAMED("ike-gateway", "Other servers of the cluster", NULL),
     REFERS("ike", "gateway",
            "Referenced IKE gateway must be defined with dead-peer-detection always-send mode")},
    {NUMBER("retransmission-period", "Time between repeats of an update", 2, 60), .dflt = "10",
     .unit = "seconds"},
    {0},
};

static const struct conf_schema group[] = {
    {DESCRIPTION},
    {NUMBER("group-id", "The number that members ask for", 1, 65535), .mandatory = true},
    {NUMBER("member-threshold", "Most members that may register; 0 for any number", 0, UINT32_MAX)},
    {BLOCK("server-cluster", "Several servers for this group", server_cluster), .unbuilt = ""},
    {NAMED("ike-gateway", "A member that may register", NULL), .mandatory = true,
     REFERS("ike", "gateway",
            "Referenced IKE gateway must be defined under [edit security group-vpn server ike "
            "gateway]")},
    {NUMBER("activation-time-delay", "Wait before a new key is used", 10, 900), .dflt = "15",
     .unit = "seconds"},
    {LEAF("anti-replay-time-window",
          "Time-based anti-replay window: seconds, or milliseconds with ms behind", CONF_T_WINDOW),
     .dflt = "100", .unit = "seconds"},
    {FLAG("no-anti-replay", "No time-based anti-replay")},
    {LEAF("server-address", "The address that this group's server answers at and sends from",
          CONF_T_IPV4),
     .mandatory = true},
    {BLOCK("server-member-communication", "Rekey messages from the server to the members",
           communication)},
    {NAMED("ipsec-sa", "A data key and what it protects", ipsec_sa), .mandatory = true},
    {0},
};

const struct conf_schema conf_schema_server[] = {
    {BLOCK("traceoptions", "Traces", conf_schema_traceoptions), .unbuilt = ""},
    {BLOCK("ike", "Phase 1", ike)},
    {BLOCK("ipsec", "Protection of data", ipsec)},
    {NAMED("group", "A group", group), .max_elements = 50},
    {0},
};
