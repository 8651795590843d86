/* Statements that server and member share: IKE algorithms, keys, identities, certificates, traces.
 */
#include "conf/schema_rows.h"

const struct conf_choice conf_choice_ike_auth[] = {
    {"pre-shared-keys", "Pre-shared keys", 1},
    {"rsa-signatures", "RSA signatures", 3, .unbuilt = "expected pre-shared-keys"},
    {"dsa-signatures", "DSA signatures", 2, .unbuilt = "expected pre-shared-keys"},
    {0},
};

const struct conf_choice conf_choice_ike_hash[] = {
    {"md5", "MD5 hash", 1, .weak = ""}, {"sha1", "SHA-1 hash", 2, .weak = ""},
    {"sha-256", "SHA-256 hash", 4},     {"sha-384", "SHA-384 hash", 5},
    {"sha-512", "SHA-512 hash", 6},     {0},
};

const struct conf_choice conf_choice_ike_cipher[] = {
    {"3des-cbc", "3DES, 168-bit keys", 5, .weak = ""}, {"aes-128-cbc", "AES, 128-bit keys", 7, 128},
    {"aes-192-cbc", "AES, 192-bit keys", 7, 192},      {"aes-256-cbc", "AES, 256-bit keys", 7, 256},
    {"des-cbc", "DES, 56-bit keys", 1, .weak = ""},    {0},
};

const struct conf_choice conf_choice_dh_group[] = {
    {"group1", "768-bit modular exponential", 1, .weak = ""},
    {"group2", "1024-bit modular exponential", 2, .weak = ""},
    {"group5", "1536-bit modular exponential", 5, .weak = ""},
    {"group14", "2048-bit modular exponential", 14},
    {"group15", "3072-bit modular exponential", 15},
    {"group16", "4096-bit modular exponential", 16},
    {"group19", "256-bit elliptic curve", 19},
    {"group20", "384-bit elliptic curve", 20},
    {"group21", "521-bit elliptic curve", 21},
    {"group24", "2048-bit modular exponential with 256-bit prime order", 24},
    {0},
};

static const struct conf_choice ike_mode[] = {
    {"main", "Identities are protected", 0},
    {"aggressive", "Fewer messages; identities are in clear", 1},
    {0},
};

static const struct conf_choice proposal_set[] = {
    {"basic", "Two proposals with DES and group1", 0,
     .weak = "it uses des-cbc, sha1, md5 and group1"},
    {"compatible", "Four proposals with 3DES, DES and group2", 1,
     .weak = "it uses 3des-cbc, des-cbc, sha1, md5 and group2"},
    {"standard", "Two proposals with 3DES, AES-128 and group2", 2,
     .weak = "it uses 3des-cbc, sha1 and group2"},
    {0},
};

static const struct conf_choice peer_certificate_type[] = {
    {"pkcs7", "PKCS #7", 0},
    {"x509-signature", "X.509 signature", 1},
    {0},
};

static const struct conf_choice use_all[] = {
    {"use-all", "All trusted authorities", 0},
    {0},
};

static const struct conf_choice trace_level[] = {
    {"error", "Errors", 0},
    {"warning", "Warnings and worse", 1},
    {"notice", "Conditions to look at", 2},
    {"info", "Informational messages", 3},
    {"verbose", "Messages for finding faults", 4},
    {"all", "Everything", 5},
    {0},
};

static const struct conf_choice trace_flag[] = {
    {"timer", "Timers", 0},
    {"routing-socket", "Routing socket messages", 1},
    {"parse", "Reading of the configuration", 2},
    {"config", "Configuration changes", 3},
    {"ike", "IKE", 4},
    {"policy-manager", "Policy manager", 5},
    {"general", "General events", 6},
    {"database", "Database", 7},
    {"certificates", "Certificates", 8},
    {"snmp", "SNMP", 9},
    {"thread", "Threads", 10},
    {"high-availability", "High availability", 11},
    {"next-hop-tunnels", "Next-hop tunnels", 12},
    {"all", "Everything", 13},
    {0},
};

const struct conf_schema conf_schema_pre_shared_key[] = {
    {TEXT("ascii-text", "Key as text", CONF_T_SECRET, 1, 255)},
    {TEXT("hexadecimal", "Key as hexadecimal digits", CONF_T_SECRET_HEX, 1, 255)},
    {0},
};

const struct conf_schema conf_schema_identity[] = {
    {LEAF("inet", "An IPv4 address", CONF_T_IPV4)},
    {TEXT("hostname", "A domain name", CONF_T_HOSTNAME, 1, 255)},
    {TEXT("user-at-hostname", "A mail address", CONF_T_USER, 3, 255)},
    {TEXT("key-id", "Opaque text", CONF_T_NAME, 1, 255)},
    {FLAG("distinguished-name", "The subject of the certificate"),
     .unbuilt = "expected inet, hostname, user-at-hostname or key-id"},
    {0},
};

static const struct conf_schema certificate[] = {
    {TEXT("local-certificate", "Identifier of our certificate", CONF_T_NAME, 1, 32)},
    {NUMBER("trusted-ca", "Authority to trust", 0, UINT32_MAX), .choices = use_all},
    {CHOICE("peer-certificate-type", "Form of the peer's certificate", peer_certificate_type),
     .dflt = "x509-signature"},
    {0},
};

const struct conf_schema conf_schema_ike_policy[] = {
    {CHOICE("mode", "Exchange of phase 1", ike_mode), .dflt = "main"},
    {DESCRIPTION},
    {ROW("proposals", "IKE proposals, the best first", CONF_LEAF_LIST), NAME_32(CONF_T_IDENTIFIER),
     REFERS("ike", "proposal", "Referenced proposal is not defined")},
    {CHOICE("proposal-set", "A ready-made set of proposals", proposal_set)},
    {BLOCK("pre-shared-key", "The key that both peers know", conf_schema_pre_shared_key),
     .one_line = true},
    {BLOCK("certificate", "Certificates", certificate), .unbuilt = "expected pre-shared-key"},
    {0},
};

static const struct conf_schema trace_file[] = {
    {TEXT("size", "Size at which a new file is begun", CONF_T_SIZE, 10240, 1073741824),
     .unit = "octets"},
    {NUMBER("files", "Number of files to keep", 2, 1000), .dflt = "3"},
    {FLAG("world-readable", "Everybody may read the file")},
    {FLAG("no-world-readable", "Only administrators may read the file")},
    {TEXT("match", "Regular expression of the lines to write", CONF_T_TEXT, 1, 255)},
    {0},
};

static const struct conf_schema gateway_filter[] = {
    {LEAF("local-address", "Our address", CONF_T_IPV4)},
    {LEAF("remote-address", "The peer's address", CONF_T_IPV4)},
    {0},
};

const struct conf_schema conf_schema_traceoptions[] = {
    {FLAG("no-remote-trace", "No remote tracing")},
    {ROW("file", "Trace file", CONF_LIST), .type = CONF_T_FILE_NAME, .min = 1, .max = 1024,
     .max_elements = 1, .one_line = true, .children = trace_file},
    {ROW("flag", "What to trace", CONF_LIST), .type = CONF_T_CHOICE, .choices = trace_flag},
    {CHOICE("level", "How much to trace", trace_level), .dflt = "error"},
    {BLOCK("gateway-filter", "Which peers to trace", gateway_filter)},
    {0},
};
