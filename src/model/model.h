#pragma once
/* The typed configuration that the engines read: an immutable snapshot, every default filled in,
 * every reference resolved to a pointer. Everything, secrets included, lives in the arena given to
 * model_build(); arena_free() wipes it. Numbers of algorithms are those of the protocols, so that
 * codecs take them as they are. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/events.h"
#include "base/ip.h"

struct conf_diags;
struct conf_tree;

enum {
    MODEL_SERVERS_MAX = 4,        /* server addresses of one member gateway, tried in order */
    MODEL_RULES_MAX = 10,         /* exclude and fail-open rules of one VPN, each kind */
    MODEL_GROUPS_MAX = 50,        /* groups of one server */
    MODEL_MATCH_POLICIES_MAX = 10 /* match-policies of one ipsec-sa */
};

/* Phase 1 attribute values (RFC 2409 appendix A; IANA ipsec-registry). */
enum model_ike_cipher { MODEL_IKE_DES = 1, MODEL_IKE_3DES = 5, MODEL_IKE_AES = 7 };
enum model_ike_hash {
    MODEL_IKE_MD5 = 1,
    MODEL_IKE_SHA1 = 2,
    MODEL_IKE_SHA256 = 4,
    MODEL_IKE_SHA384 = 5,
    MODEL_IKE_SHA512 = 6
};
enum model_ike_auth { MODEL_AUTH_PSK = 1, MODEL_AUTH_DSS = 2, MODEL_AUTH_RSA = 3 };
/* ESP transform ids (RFC 2407 4.4.4, RFC 3602, RFC 4106) and authentication attribute values
 * (RFC 2407 4.5, RFC 4868). MODEL_ESP_AUTH_NONE: the cipher authenticates by itself. */
enum model_esp_cipher {
    MODEL_ESP_DES = 2,
    MODEL_ESP_3DES = 3,
    MODEL_ESP_AES_CBC = 12,
    MODEL_ESP_AES_GCM16 = 20
};
enum model_esp_auth {
    MODEL_ESP_AUTH_NONE = 0,
    MODEL_ESP_HMAC_MD5_96 = 1,
    MODEL_ESP_HMAC_SHA1_96 = 2,
    MODEL_ESP_HMAC_SHA256_128 = 5,
    MODEL_ESP_HMAC_SHA384_192 = 6,
    MODEL_ESP_HMAC_SHA512_256 = 7
};
/* KEK_ALGORITHM and SIG_HASH_ALGORITHM (RFC 6407 5.3.3, 5.3.6). */
enum model_kek_cipher { MODEL_KEK_DES = 1, MODEL_KEK_3DES = 2, MODEL_KEK_AES = 3 };
enum model_sig_hash {
    MODEL_SIG_MD5 = 1,
    MODEL_SIG_SHA1 = 2,
    MODEL_SIG_SHA256 = 3,
    MODEL_SIG_SHA384 = 4,
    MODEL_SIG_SHA512 = 5
};
/* Identification types (RFC 2407 4.6.2.1). */
enum model_id_type {
    MODEL_ID_NONE = 0,
    MODEL_ID_IPV4 = 1,
    MODEL_ID_FQDN = 2,
    MODEL_ID_USER_FQDN = 3,
    MODEL_ID_KEY_ID = 11
};

/* Where the operator wrote it, so that a refusal can name the statement that decided. */
struct model_where {
    const char *file;
    const char *path; /* "security group-vpn server group grp1" */
    uint32_t line;    /* from 1 */
};

/* MODEL_ID_NONE: nothing stated. As local identity that means the local address, as remote identity
 * any identity that the gateway's address and policy allow (by default the peer's own address). */
struct model_identity {
    enum model_id_type type;
    struct bytes
        value; /* as it stands in the ID payload: four octets for IPv4, else text without NUL */
};

struct model_ike_proposal {
    const char *name; /* of a proposal-set: "standard-1", "standard-2" ... */
    struct model_where where;
    enum model_ike_auth auth;
    enum model_ike_hash hash;
    uint16_t dh_group; /* 1 2 5 14 15 16 19 20 21 24 */
    enum model_ike_cipher cipher;
    uint16_t key_bits;   /* 128 192 256 with AES, else 0: no key length attribute */
    uint32_t lifetime_s; /* 180..86400; 0 (server only): not stated, take the initiator's */
};

enum model_ike_mode { MODEL_MODE_MAIN, MODEL_MODE_AGGRESSIVE };

struct model_ike_policy {
    const char *name;
    struct model_where where;
    enum model_ike_mode mode;
    const struct model_ike_proposal *const *proposals; /* in order of preference, at least one */
    size_t n_proposals;
    struct bytes psk; /* decoded octets; a secret: wiped with the arena, never logged */
};

/* One member, as the server knows him. Exactly one of `address` and `dynamic` is set. */
struct model_server_gateway {
    const char *name;
    struct model_where where;
    const struct model_ike_policy *policy;
    struct ip address;             /* IP_NONE when dynamic */
    struct model_identity dynamic; /* MODEL_ID_NONE when the address is fixed */
    struct model_identity local;   /* what we say we are */
    struct model_identity remote;  /* what he must say he is; MODEL_ID_NONE with dynamic */
    struct ip local_address;       /* IP_NONE: any address of this server */
};

struct model_ipsec_proposal {
    const char *name;
    struct model_where where;
    enum model_esp_cipher cipher;
    uint16_t key_bits; /* 128 192 256 with AES, else 0 */
    enum model_esp_auth auth;
    uint32_t lifetime_s; /* 180..86400, default 3600 */
};

struct model_match_policy {
    const char *name;
    struct model_where where;
    struct prefix source, destination;      /* /0: any */
    uint16_t source_port, destination_port; /* 0: any */
    uint8_t protocol;                       /* 0: any */
};

struct model_ipsec_sa {
    const char *name;
    struct model_where where;
    const struct model_ipsec_proposal *proposal;
    const struct model_match_policy *policies; /* at least one */
    size_t n_policies;
};

enum model_push_type { MODEL_PUSH_UNICAST, MODEL_PUSH_MULTICAST };

/* server-member-communication. Absent: no KEK, no pushes, no heartbeats; the rest is then zero. */
struct model_communication {
    bool present;
    struct model_where where;
    enum model_push_type type;
    enum model_kek_cipher cipher;
    uint16_t key_bits; /* 128 192 256 with AES, else 0 */
    enum model_sig_hash sig_hash;
    uint32_t lifetime_s;       /* of the KEK: 180..86400, default 3600 */
    uint32_t heartbeat_s;      /* 60..3600, default 300 */
    uint32_t n_retransmission; /* 0..60, default 2: repeats (unicast) or copies (multicast) */
    uint32_t retransmission_period_s; /* 2..60, default 4 */
    struct ip multicast_group;        /* multicast only, else IP_NONE */
    const char *multicast_interface;  /* multicast only, else NULL */
    const char *certificate;          /* NULL: the server's own key */
};

struct model_group {
    const char *name;
    struct model_where where;
    const char *description;        /* NULL: none */
    uint32_t id;                    /* 1..65535, unique */
    uint32_t atd_s;                 /* activation-time-delay: 10..900, default 15 */
    uint32_t anti_replay_window_ms; /* 0: off; else the whole window, half of it to each side;
                                       default 100000 */
    uint32_t member_threshold;      /* at most so many members; 0: as many as come */
    struct ip server_address;       /* answered at and sent from */
    const struct model_server_gateway *const *gateways; /* who may join */
    size_t n_gateways;
    const struct model_ipsec_sa *sas;
    size_t n_sas;
    struct model_communication communication;
};

struct model_server {
    struct model_where where;
    const struct model_ike_proposal *ike_proposals; /* all that are configured, used or not */
    size_t n_ike_proposals;
    const struct model_ike_policy *ike_policies;
    size_t n_ike_policies;
    const struct model_server_gateway *gateways;
    size_t n_gateways;
    const struct model_ipsec_proposal *ipsec_proposals;
    size_t n_ipsec_proposals;
    const struct model_group *groups;
    size_t n_groups;
};

/* A key server, as the member knows it. */
struct model_member_gateway {
    const char *name;
    struct model_where where;
    const struct model_ike_policy *policy;
    struct ip servers[MODEL_SERVERS_MAX]; /* in the order to try */
    size_t n_servers;
    struct ip local_address;
    struct model_identity local;
    struct model_identity
        remote; /* MODEL_ID_NONE: the server must identify itself by its address */
};

/* An exclude or fail-open rule. It names a session: a packet matches as written, and so does the
 * answer (source and destination swapped, ports included). */
struct model_rule {
    const char *name;
    struct model_where where;
    struct prefix source, destination;                      /* /0: any */
    uint8_t protocol;                                       /* 0: any */
    uint16_t destination_port_first, destination_port_last; /* 0 and 65535: any */
    const char *application;                                /* as written, or NULL */
};

enum model_df_bit { MODEL_DF_CLEAR, MODEL_DF_SET, MODEL_DF_COPY };

struct model_vpn {
    const char *name;
    struct model_where where;
    const struct model_member_gateway *gateway;
    uint32_t group_id;              /* 1..4294967295, unique */
    const char *external_interface; /* group-vpn-external-interface */
    uint32_t heartbeat_threshold;   /* 0..10 missed heartbeats, default 3; 0: ignore heartbeats */
    bool recovery_probe;
    enum model_df_bit df_bit;                   /* default clear */
    uint32_t tunnel_mtu;                        /* octets, 256..9192, default 1500 */
    struct model_rule exclude[MODEL_RULES_MAX]; /* never protected */
    size_t n_exclude;
    struct model_rule fail_open[MODEL_RULES_MAX]; /* in clear only while there is no key */
    size_t n_fail_open;
};

struct model_member {
    struct model_where where;
    const struct model_ike_proposal *ike_proposals;
    size_t n_ike_proposals;
    const struct model_ike_policy *ike_policies;
    size_t n_ike_policies;
    const struct model_member_gateway *gateways;
    size_t n_gateways;
    const struct model_vpn *vpns;
    size_t n_vpns;
};

struct model {
    const struct model_server *server; /* NULL: no `security group-vpn server` */
    const struct model_member *member; /* NULL: no `security group-vpn member` */
    bool co_location;                  /* both run on this device, with addresses of their own */
};

/* Builds the snapshot of a tree that conf_validate() has checked, in `arena`; it does not point
 * into the tree. ERR_CONFIG when the diagnostics hold an error; a statement that is UNBUILT does
 * not keep a model from being built: who starts engines asks conf_diags_count() for both. */
MUST_USE enum err model_build(const struct conf_tree *tree, const struct conf_diags *diags,
                              struct arena *arena, const struct model **ret_model);

/* Copies that need nothing of the original: keys outlive the configuration they were made under
 * (decisions M3: policies belong to the generation). */
const struct model_ipsec_sa *model_ipsec_sa_copy(struct arena *a, const struct model_ipsec_sa *sa);
const struct model_communication *model_communication_copy(struct arena *a,
                                                           const struct model_communication *c);

/* Names the statement in an event: "statement" and "at" (file:line). NULL: no statement. */
void model_event_where(struct event *e, const struct model_where *where);
/* Names a phase 1 identity in an event: "identity", an address or a name. */
void model_event_identity(struct event *e, struct model_identity id);

/* Look-ups; NULL when there is none. */
const struct model_group *model_group_by_id(const struct model_server *server, uint32_t id);
const struct model_server_gateway *model_gateway_by_name(const struct model_server *server,
                                                         const char *name);
bool model_group_has_gateway(const struct model_group *group,
                             const struct model_server_gateway *gateway);
