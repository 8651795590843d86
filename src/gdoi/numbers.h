#pragma once
/* Every number of GDOI: RFC 6407 section 5, RFC 8263 section 2, and what RFC 2407 section 4 lends
 * to a SA TEK. Payload and exchange numbers stand with those of ISAKMP in ike1/numbers.h. */
#include "base/compiler.h"
#include "base/err.h"
#include "ike1/numbers.h"

#include <stddef.h>

/* SAK attributes (RFC 6407 5.3); 8 is RFC 3547's KE_OAKLEY_GROUP, refused; 9 is RFC 8263 2. */
#define GDOI_KEK_ATTRIBUTE_LIST(X)                                                                 \
    X(GDOI_KEK_MANAGEMENT_ALGORITHM, 1, B, "kek-management-algorithm")                             \
    X(GDOI_KEK_ALGORITHM, 2, B, "kek-algorithm")                                                   \
    X(GDOI_KEK_KEY_LENGTH, 3, B, "kek-key-length")                                                 \
    X(GDOI_KEK_KEY_LIFETIME, 4, V, "kek-key-lifetime")                                             \
    X(GDOI_SIG_HASH_ALGORITHM, 5, B, "sig-hash-algorithm")                                         \
    X(GDOI_SIG_ALGORITHM, 6, B, "sig-algorithm")                                                   \
    X(GDOI_SIG_KEY_LENGTH, 7, B, "sig-key-length")                                                 \
    X(GDOI_KEK_ACK_REQUESTED, 9, B, "kek-ack-requested")

#define GDOI_KEK_ALG_LIST(X)                                                                       \
    X(GDOI_KEK_ALG_DES, 1, "des-cbc")                                                              \
    X(GDOI_KEK_ALG_3DES, 2, "3des-cbc")                                                            \
    X(GDOI_KEK_ALG_AES, 3, "aes-cbc")

#define GDOI_SIG_HASH_LIST(X)                                                                      \
    X(GDOI_SIG_HASH_MD5, 1, "md5")                                                                 \
    X(GDOI_SIG_HASH_SHA1, 2, "sha1")                                                               \
    X(GDOI_SIG_HASH_SHA256, 3, "sha-256")                                                          \
    X(GDOI_SIG_HASH_SHA384, 4, "sha-384")                                                          \
    X(GDOI_SIG_HASH_SHA512, 5, "sha-512")

#define GDOI_SIG_ALG_LIST(X)                                                                       \
    X(GDOI_SIG_ALG_RSA, 1, "rsa")                                                                  \
    X(GDOI_SIG_ALG_DSS, 2, "dss")                                                                  \
    X(GDOI_SIG_ALG_ECDSS, 3, "ecdss")                                                              \
    X(GDOI_SIG_ALG_ECDSA_256, 4, "ecdsa-256")                                                      \
    X(GDOI_SIG_ALG_ECDSA_384, 5, "ecdsa-384")                                                      \
    X(GDOI_SIG_ALG_ECDSA_521, 6, "ecdsa-521")

/* Values of KEK_ACK_REQUESTED (RFC 8263 2). */
#define GDOI_ACK_LIST(X)                                                                           \
    X(GDOI_ACK_KEK_SHA256, 1, "rekey-ack-kek-sha256")                                              \
    X(GDOI_ACK_LKH_SHA256, 2, "rekey-ack-lkh-sha256")                                              \
    X(GDOI_ACK_KEK_SHA512, 3, "rekey-ack-kek-sha512")                                              \
    X(GDOI_ACK_LKH_SHA512, 4, "rekey-ack-lkh-sha512")

/* GAP attributes (RFC 6407 5.4). The two of IP-D3P have no assigned number: see struct
 * gdoi_dialect. */
#define GDOI_GAP_ATTRIBUTE_LIST(X)                                                                 \
    X(GDOI_GAP_ACTIVATION_TIME_DELAY, 1, B, "activation-time-delay")                               \
    X(GDOI_GAP_DEACTIVATION_TIME_DELAY, 2, B, "deactivation-time-delay")                           \
    X(GDOI_GAP_SENDER_ID_REQUEST, 3, B, "sender-id-request")

/* Protocol-ID of a SAT and of a Delete (RFC 6407 5.5, 5.9): not those of the IPsec DOI. */
#define GDOI_PROTOCOL_LIST(X)                                                                      \
    X(GDOI_PROTOCOL_KEK, 0, "kek")                                                                 \
    X(GDOI_PROTOCOL_ESP, 1, "esp")                                                                 \
    X(GDOI_PROTOCOL_AH, 2, "ah")

/* ESP transforms (RFC 2407 4.4.4, RFC 3602, RFC 3686, RFC 4106). */
#define GDOI_ESP_LIST(X)                                                                           \
    X(GDOI_ESP_DES, 2, "des-cbc")                                                                  \
    X(GDOI_ESP_3DES, 3, "3des-cbc")                                                                \
    X(GDOI_ESP_NULL, 11, "null")                                                                   \
    X(GDOI_ESP_AES_CBC, 12, "aes-cbc")                                                             \
    X(GDOI_ESP_AES_CTR, 13, "aes-ctr")                                                             \
    X(GDOI_ESP_AES_GCM_8, 18, "aes-gcm-8")                                                         \
    X(GDOI_ESP_AES_GCM_12, 19, "aes-gcm-12")                                                       \
    X(GDOI_ESP_AES_GCM_16, 20, "aes-gcm-16")

/* SAT attributes (RFC 2407 4.5, RFC 6407 5.5.1). Group Description is ignored: RFC 6407 5.5.1. The
 * last one is ours: see struct gdoi_sat. */
#define GDOI_SA_ATTRIBUTE_LIST(X)                                                                  \
    X(GDOI_SA_LIFE_TYPE, 1, B, "life-type")                                                        \
    X(GDOI_SA_LIFE_DURATION, 2, V, "life-duration")                                                \
    X(GDOI_SA_GROUP_DESCRIPTION, 3, B, "group-description")                                        \
    X(GDOI_SA_ENCAPSULATION_MODE, 4, B, "encapsulation-mode")                                      \
    X(GDOI_SA_AUTH_ALGORITHM, 5, B, "authentication-algorithm")                                    \
    X(GDOI_SA_KEY_LENGTH, 6, B, "key-length")                                                      \
    X(GDOI_SA_ADDRESS_PRESERVATION, 14, B, "address-preservation")                                 \
    X(GDOI_SA_DIRECTION, 15, B, "sa-direction")                                                    \
    X(GDOI_SA_WINDOW, 32001, V, "d3p-windowsize")

#define GDOI_ENCAPSULATION_LIST(X)                                                                 \
    X(GDOI_ENCAPSULATION_TUNNEL, 1, "tunnel")                                                      \
    X(GDOI_ENCAPSULATION_TRANSPORT, 2, "transport")

#define GDOI_AUTH_LIST(X)                                                                          \
    X(GDOI_AUTH_HMAC_MD5, 1, "hmac-md5-96")                                                        \
    X(GDOI_AUTH_HMAC_SHA1, 2, "hmac-sha1-96")                                                      \
    X(GDOI_AUTH_HMAC_SHA256, 5, "hmac-sha-256-128")                                                \
    X(GDOI_AUTH_HMAC_SHA384, 6, "hmac-sha-384-192")                                                \
    X(GDOI_AUTH_HMAC_SHA512, 7, "hmac-sha-512-256")

#define GDOI_PRESERVE_LIST(X)                                                                      \
    X(GDOI_PRESERVE_NONE, 1, "none")                                                               \
    X(GDOI_PRESERVE_SOURCE, 2, "source-only")                                                      \
    X(GDOI_PRESERVE_DESTINATION, 3, "destination-only")                                            \
    X(GDOI_PRESERVE_BOTH, 4, "source-and-destination")

#define GDOI_DIRECTION_LIST(X)                                                                     \
    X(GDOI_DIRECTION_SENDER, 1, "sender-only")                                                     \
    X(GDOI_DIRECTION_RECEIVER, 2, "receiver-only")                                                 \
    X(GDOI_DIRECTION_SYMMETRIC, 3, "symmetric")

/* Key packets and their attributes (RFC 6407 5.6). */
#define GDOI_KD_LIST(X)                                                                            \
    X(GDOI_KD_TEK, 1, "tek")                                                                       \
    X(GDOI_KD_KEK, 2, "kek")                                                                       \
    X(GDOI_KD_LKH, 3, "lkh")                                                                       \
    X(GDOI_KD_SID, 4, "sid")

#define GDOI_KEY_ATTRIBUTE_LIST(X)                                                                 \
    X(GDOI_TEK_ALGORITHM_KEY, 1, V, "tek-algorithm-key")                                           \
    X(GDOI_TEK_INTEGRITY_KEY, 2, V, "tek-integrity-key")                                           \
    X(GDOI_KEK_ALGORITHM_KEY, 1, V, "kek-algorithm-key")                                           \
    X(GDOI_SIG_ALGORITHM_KEY, 2, V, "sig-algorithm-key")                                           \
    X(GDOI_NUMBER_OF_SID_BITS, 1, B, "number-of-sid-bits")                                         \
    X(GDOI_SID_VALUE, 2, V, "sid-value")

enum gdoi_kek_attribute { GDOI_KEK_ATTRIBUTE_LIST(IKE1_NUMBER_FORM) };
enum gdoi_kek_alg { GDOI_KEK_ALG_LIST(IKE1_NUMBER) };
enum gdoi_sig_hash { GDOI_SIG_HASH_LIST(IKE1_NUMBER) };
enum gdoi_sig_alg { GDOI_SIG_ALG_LIST(IKE1_NUMBER) };
enum gdoi_ack_type { GDOI_ACK_LIST(IKE1_NUMBER) };
enum gdoi_gap_attribute { GDOI_GAP_ATTRIBUTE_LIST(IKE1_NUMBER_FORM) };
enum gdoi_protocol { GDOI_PROTOCOL_LIST(IKE1_NUMBER) };
enum gdoi_esp { GDOI_ESP_LIST(IKE1_NUMBER) };
enum gdoi_sa_attribute { GDOI_SA_ATTRIBUTE_LIST(IKE1_NUMBER_FORM) };
enum gdoi_encapsulation { GDOI_ENCAPSULATION_LIST(IKE1_NUMBER) };
enum gdoi_auth { GDOI_AUTH_LIST(IKE1_NUMBER) };
enum gdoi_preserve { GDOI_PRESERVE_LIST(IKE1_NUMBER) };
enum gdoi_direction { GDOI_DIRECTION_LIST(IKE1_NUMBER) };
enum gdoi_kd_type { GDOI_KD_LIST(IKE1_NUMBER) };
enum gdoi_key_attribute { GDOI_KEY_ATTRIBUTE_LIST(IKE1_NUMBER_FORM) };

enum {
    GDOI_PORT = 848,    /* RFC 6407 2.2 */
    GDOI_LKH = 1,       /* value of KEK_MANAGEMENT_ALGORITHM */
    GDOI_SPI_MIN = 256, /* smaller ones are reserved: RFC 4303 2.1 */
    GDOI_TEK_SPI = 4,   /* octets */
    GDOI_KEK_SPI = 16,
    GDOI_NONCE_MAX = 128,       /* RFC 6407 5.8 */
    GDOI_NOTIFY_STATE = 36865,  /* private: gdoi/notify.h */
    GDOI_D3P_POSIX_TIME = 1,    /* value of D3P-TYPE: draft-weis-delay-detection-03 6 */
    GDOI_D3P_TYPE_NUMBER = 128, /* ours for want of an assignment: decisions S33 */
    GDOI_D3P_WINDOW_NUMBER = 129,
};

/* The name of a number as in the lists, "unknown" for any other. Static storage. */
const char *gdoi_kek_alg_name(unsigned number);
const char *gdoi_sig_hash_name(unsigned number);
const char *gdoi_sig_alg_name(unsigned number);
const char *gdoi_ack_name(unsigned number);
const char *gdoi_protocol_name(unsigned number);
const char *gdoi_esp_name(unsigned number);
const char *gdoi_encapsulation_name(unsigned number);
const char *gdoi_auth_name(unsigned number);
const char *gdoi_preserve_name(unsigned number);
const char *gdoi_direction_name(unsigned number);
const char *gdoi_kd_name(unsigned number);

/* Octets of key that an algorithm takes, as KD carries them (RFC 6407 5.6.1, 5.6.2): ERR_TYPE for
 * an algorithm not built, ERR_VALUE for key bits that it does not have. `bits` is the key length
 * attribute, 0 when absent. */
MUST_USE enum err gdoi_esp_key_len(unsigned transform, unsigned bits,
                                   size_t *ret); /* GCM, CTR: key and 4 octets of salt or nonce */
MUST_USE enum err gdoi_auth_key_len(unsigned auth, size_t *ret);
MUST_USE enum err gdoi_kek_key_len(unsigned kek_alg, unsigned bits, size_t *ret_iv,
                                   size_t *ret_key);
