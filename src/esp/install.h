#pragma once
/* What a member tells its data path: per VPN, which security associations protect which traffic.
 * The description is declarative. Each esp_vpn_install is the whole truth for its VPN: what it does
 * not name is removed, what it names again keeps its sequence number and counters, and with no SA
 * at all the VPN fails closed: what was protected is dropped until there is a key again (decisions
 * M2, M24).
 *
 *   slot         receives   sends        RFC 5374 4.2.1
 *   NEXT         yes        no           delivered, not yet active
 *   CURRENT      yes        yes
 *   PREVIOUS     yes        no           until the last packets under it have arrived
 *
 * The pointed-to memory belongs to the caller and is read during the call only; keys are wiped by
 * him. */
#include "base/ip.h"
#include "crypto/cipher.h"
#include "crypto/packet.h"
#include "crypto/secret.h"

enum { ESP_SELECTORS_MAX = 64, ESP_SAS_MAX = 256 }; /* of one SA; of one VPN */

enum esp_slot { ESP_SLOT_NEXT, ESP_SLOT_CURRENT, ESP_SLOT_PREVIOUS };

/* A match-policy, as its sender sees it; not mirrored. A length of 0, a port of 0, a protocol of 0:
 * any. */
struct esp_selector {
    struct prefix source, destination;
    uint16_t source_port, destination_port;
    uint8_t protocol;
};

struct esp_sa_install {
    uint32_t spi;     /* >= 256 (RFC 4303 2.1) */
    struct ip server; /* who gave it: two servers may use one SPI, and both SAs are kept */
    enum esp_slot slot;
    enum cipher cipher;
    enum auth auth;         /* AUTH_NONE with GCM */
    struct secret key;      /* cipher_key_len(cipher) octets: the salt of GCM at the end */
    struct secret auth_key; /* auth_key_len(auth) octets */
    const struct esp_selector
        *selectors; /* in the order of the server's SA payload; at least one */
    size_t n_selectors;
    /* Time stamps (draft-weis-delay-detection-03): the whole window, half of it to each side of the
     * VPN's group clock, which must have been set. 0: none; they are then not expected either. */
    uint32_t window_ms;
    /* Counter modes need a nonce that no other sender of the key ever uses (RFC 6407 3.5). Until
     * members have sender identifiers such an SA is refused (decisions M22), unless the caller
     * vouches that nobody else, and no earlier run, sends under this key. */
    bool sole_sender;
    bool transport_mode; /* refused by esp/: the members' data path does tunnel mode only */
};

struct esp_vpn_install {
    const char *vpn; /* name of an esp_vpn_config */
    const struct esp_sa_install *sas;
    size_t n_sas;                      /* 0: fail closed */
    const struct esp_selector *closed; /* what must not leave in clear although its key has ended:
                                          dropped where no SA sends it */
    size_t n_closed;
};

/* An exclude or fail-open rule. It names a session: packets as written, and the answers to them. */
struct esp_rule {
    struct prefix source, destination;                      /* /0: any */
    uint8_t protocol;                                       /* 0: any */
    uint16_t destination_port_first, destination_port_last; /* 0 and 65535: any */
};

enum esp_df { ESP_DF_CLEAR, ESP_DF_SET, ESP_DF_COPY }; /* of the outer header */

/* What the configuration says about a VPN and no server can change. */
struct esp_vpn_config {
    const char *vpn;
    uint32_t group;
    const char *external_interface; /* the interface towards the other members */
    enum esp_df df_bit;
    uint32_t tunnel_mtu;            /* the largest outer packet, 256..9192 */
    const struct esp_rule *exclude; /* never protected, before any group policy */
    size_t n_exclude;
    const struct esp_rule
        *fail_open; /* in clear while the VPN has no SA that sends, after the group policies */
    size_t n_fail_open;
};
