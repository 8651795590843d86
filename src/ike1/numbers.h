#pragma once
/* Every number of ISAKMP and IKEv1, each list once: the enum, the name table and the documentation
 * come out of it. Payload and exchange numbers are one registry, so those of GDOI (RFC 6407 section
 * 5, RFC 8263 section 3.1) are here too. */
#include <stdint.h>

/* Next payload (RFC 2408 3.1, RFC 6407 5, RFC 3547 5). Proposal and transform stand inside an SA
 * payload only. */
#define IKE1_PAYLOAD_LIST(X)                                                                       \
    X(IKE1_PAYLOAD_NONE, 0, "NONE")                                                                \
    X(IKE1_PAYLOAD_SA, 1, "SA")                                                                    \
    X(IKE1_PAYLOAD_P, 2, "P")                                                                      \
    X(IKE1_PAYLOAD_T, 3, "T")                                                                      \
    X(IKE1_PAYLOAD_KE, 4, "KE")                                                                    \
    X(IKE1_PAYLOAD_ID, 5, "ID")                                                                    \
    X(IKE1_PAYLOAD_CERT, 6, "CERT")                                                                \
    X(IKE1_PAYLOAD_CR, 7, "CR")                                                                    \
    X(IKE1_PAYLOAD_HASH, 8, "HASH")                                                                \
    X(IKE1_PAYLOAD_SIG, 9, "SIG")                                                                  \
    X(IKE1_PAYLOAD_NONCE, 10, "NONCE")                                                             \
    X(IKE1_PAYLOAD_N, 11, "N")                                                                     \
    X(IKE1_PAYLOAD_D, 12, "D")                                                                     \
    X(IKE1_PAYLOAD_VID, 13, "VID")                                                                 \
    X(IKE1_PAYLOAD_SAK, 15, "SAK")                                                                 \
    X(IKE1_PAYLOAD_SAT, 16, "SAT")                                                                 \
    X(IKE1_PAYLOAD_KD, 17, "KD")                                                                   \
    X(IKE1_PAYLOAD_SEQ, 18, "SEQ")                                                                 \
    X(IKE1_PAYLOAD_POP, 19, "POP")                                                                 \
    X(IKE1_PAYLOAD_NAT_D, 20, "NAT-D")                                                             \
    X(IKE1_PAYLOAD_NAT_OA, 21, "NAT-OA")                                                           \
    X(IKE1_PAYLOAD_GAP, 22, "GAP")

/* Exchange types (RFC 2408 3.1, RFC 2409 appendix A, RFC 6407 3 and 4, RFC 8263 3.1). */
#define IKE1_EXCHANGE_LIST(X)                                                                      \
    X(IKE1_EXCHANGE_BASE, 1, "base")                                                               \
    X(IKE1_EXCHANGE_MAIN, 2, "main")                                                               \
    X(IKE1_EXCHANGE_AUTH_ONLY, 3, "authentication-only")                                           \
    X(IKE1_EXCHANGE_AGGRESSIVE, 4, "aggressive")                                                   \
    X(IKE1_EXCHANGE_INFORMATIONAL, 5, "informational")                                             \
    X(IKE1_EXCHANGE_GROUPKEY_PULL, 32, "groupkey-pull")                                            \
    X(IKE1_EXCHANGE_GROUPKEY_PUSH, 33, "groupkey-push")                                            \
    X(IKE1_EXCHANGE_GROUPKEY_PUSH_ACK, 35, "groupkey-push-ack")

#define IKE1_DOI_LIST(X)                                                                           \
    X(IKE1_DOI_ISAKMP, 0, "isakmp")                                                                \
    X(IKE1_DOI_IPSEC, 1, "ipsec")                                                                  \
    X(IKE1_DOI_GDOI, 2, "gdoi")

/* Protocol identifiers of proposals, notifications and deletes outside GDOI (RFC 2407 4.4.1). */
#define IKE1_PROTOCOL_LIST(X)                                                                      \
    X(IKE1_PROTOCOL_NONE, 0, "none")                                                               \
    X(IKE1_PROTOCOL_ISAKMP, 1, "isakmp")                                                           \
    X(IKE1_PROTOCOL_AH, 2, "ah")                                                                   \
    X(IKE1_PROTOCOL_ESP, 3, "esp")

/* Identification types (RFC 2407 4.6.2.1). */
#define IKE1_ID_LIST(X)                                                                            \
    X(IKE1_ID_IPV4_ADDR, 1, "ipv4-address")                                                        \
    X(IKE1_ID_FQDN, 2, "fqdn")                                                                     \
    X(IKE1_ID_USER_FQDN, 3, "user-fqdn")                                                           \
    X(IKE1_ID_IPV4_ADDR_SUBNET, 4, "ipv4-subnet")                                                  \
    X(IKE1_ID_IPV6_ADDR, 5, "ipv6-address")                                                        \
    X(IKE1_ID_IPV6_ADDR_SUBNET, 6, "ipv6-subnet")                                                  \
    X(IKE1_ID_IPV4_ADDR_RANGE, 7, "ipv4-range")                                                    \
    X(IKE1_ID_IPV6_ADDR_RANGE, 8, "ipv6-range")                                                    \
    X(IKE1_ID_DER_ASN1_DN, 9, "distinguished-name")                                                \
    X(IKE1_ID_DER_ASN1_GN, 10, "general-name")                                                     \
    X(IKE1_ID_KEY_ID, 11, "key-id")

/* Phase 1 attributes (RFC 2409 appendix A); B may come as TV only, V as TV or TLV. */
#define IKE1_ATTRIBUTE_LIST(X)                                                                     \
    X(IKE1_ATTRIBUTE_ENCRYPTION, 1, B, "encryption-algorithm")                                     \
    X(IKE1_ATTRIBUTE_HASH, 2, B, "hash-algorithm")                                                 \
    X(IKE1_ATTRIBUTE_AUTH, 3, B, "authentication-method")                                          \
    X(IKE1_ATTRIBUTE_GROUP, 4, B, "group-description")                                             \
    X(IKE1_ATTRIBUTE_GROUP_TYPE, 5, B, "group-type")                                               \
    X(IKE1_ATTRIBUTE_GROUP_PRIME, 6, V, "group-prime")                                             \
    X(IKE1_ATTRIBUTE_GENERATOR_ONE, 7, V, "group-generator-one")                                   \
    X(IKE1_ATTRIBUTE_GENERATOR_TWO, 8, V, "group-generator-two")                                   \
    X(IKE1_ATTRIBUTE_CURVE_A, 9, V, "group-curve-a")                                               \
    X(IKE1_ATTRIBUTE_CURVE_B, 10, V, "group-curve-b")                                              \
    X(IKE1_ATTRIBUTE_LIFE_TYPE, 11, B, "life-type")                                                \
    X(IKE1_ATTRIBUTE_LIFE_DURATION, 12, V, "life-duration")                                        \
    X(IKE1_ATTRIBUTE_PRF, 13, B, "prf")                                                            \
    X(IKE1_ATTRIBUTE_KEY_LENGTH, 14, B, "key-length")                                              \
    X(IKE1_ATTRIBUTE_FIELD_SIZE, 15, B, "field-size")                                              \
    X(IKE1_ATTRIBUTE_GROUP_ORDER, 16, V, "group-order")

#define IKE1_ENCRYPTION_LIST(X)                                                                    \
    X(IKE1_ENCRYPTION_DES, 1, "des-cbc")                                                           \
    X(IKE1_ENCRYPTION_IDEA, 2, "idea-cbc")                                                         \
    X(IKE1_ENCRYPTION_BLOWFISH, 3, "blowfish-cbc")                                                 \
    X(IKE1_ENCRYPTION_RC5, 4, "rc5-r16-b64-cbc")                                                   \
    X(IKE1_ENCRYPTION_3DES, 5, "3des-cbc")                                                         \
    X(IKE1_ENCRYPTION_CAST, 6, "cast-cbc")                                                         \
    X(IKE1_ENCRYPTION_AES, 7, "aes-cbc")

#define IKE1_HASH_LIST(X)                                                                          \
    X(IKE1_HASH_MD5, 1, "md5")                                                                     \
    X(IKE1_HASH_SHA1, 2, "sha1")                                                                   \
    X(IKE1_HASH_TIGER, 3, "tiger")                                                                 \
    X(IKE1_HASH_SHA256, 4, "sha-256")                                                              \
    X(IKE1_HASH_SHA384, 5, "sha-384")                                                              \
    X(IKE1_HASH_SHA512, 6, "sha-512")

#define IKE1_AUTH_LIST(X)                                                                          \
    X(IKE1_AUTH_PSK, 1, "pre-shared-keys")                                                         \
    X(IKE1_AUTH_DSS, 2, "dsa-signatures")                                                          \
    X(IKE1_AUTH_RSA, 3, "rsa-signatures")                                                          \
    X(IKE1_AUTH_RSA_ENCRYPTION, 4, "rsa-encryption")                                               \
    X(IKE1_AUTH_RSA_REVISED, 5, "rsa-revised-encryption")                                          \
    X(IKE1_AUTH_ECDSA_256, 9, "ecdsa-signatures-256")                                              \
    X(IKE1_AUTH_ECDSA_384, 10, "ecdsa-signatures-384")                                             \
    X(IKE1_AUTH_ECDSA_521, 11, "ecdsa-signatures-521")

/* The same values in phase 1 (RFC 2409 appendix A) and in IPsec attributes (RFC 2407 4.5). */
#define IKE1_LIFE_LIST(X)                                                                          \
    X(IKE1_LIFE_SECONDS, 1, "seconds")                                                             \
    X(IKE1_LIFE_KILOBYTES, 2, "kilobytes")

/* Notify message types (RFC 2408 3.14.1, RFC 2407 4.6.3). */
#define IKE1_NOTIFY_LIST(X)                                                                        \
    X(IKE1_NOTIFY_INVALID_PAYLOAD_TYPE, 1, "INVALID-PAYLOAD-TYPE")                                 \
    X(IKE1_NOTIFY_DOI_NOT_SUPPORTED, 2, "DOI-NOT-SUPPORTED")                                       \
    X(IKE1_NOTIFY_SITUATION_NOT_SUPPORTED, 3, "SITUATION-NOT-SUPPORTED")                           \
    X(IKE1_NOTIFY_INVALID_COOKIE, 4, "INVALID-COOKIE")                                             \
    X(IKE1_NOTIFY_INVALID_MAJOR_VERSION, 5, "INVALID-MAJOR-VERSION")                               \
    X(IKE1_NOTIFY_INVALID_MINOR_VERSION, 6, "INVALID-MINOR-VERSION")                               \
    X(IKE1_NOTIFY_INVALID_EXCHANGE_TYPE, 7, "INVALID-EXCHANGE-TYPE")                               \
    X(IKE1_NOTIFY_INVALID_FLAGS, 8, "INVALID-FLAGS")                                               \
    X(IKE1_NOTIFY_INVALID_MESSAGE_ID, 9, "INVALID-MESSAGE-ID")                                     \
    X(IKE1_NOTIFY_INVALID_PROTOCOL_ID, 10, "INVALID-PROTOCOL-ID")                                  \
    X(IKE1_NOTIFY_INVALID_SPI, 11, "INVALID-SPI")                                                  \
    X(IKE1_NOTIFY_INVALID_TRANSFORM_ID, 12, "INVALID-TRANSFORM-ID")                                \
    X(IKE1_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, 13, "ATTRIBUTES-NOT-SUPPORTED")                        \
    X(IKE1_NOTIFY_NO_PROPOSAL_CHOSEN, 14, "NO-PROPOSAL-CHOSEN")                                    \
    X(IKE1_NOTIFY_BAD_PROPOSAL_SYNTAX, 15, "BAD-PROPOSAL-SYNTAX")                                  \
    X(IKE1_NOTIFY_PAYLOAD_MALFORMED, 16, "PAYLOAD-MALFORMED")                                      \
    X(IKE1_NOTIFY_INVALID_KEY_INFORMATION, 17, "INVALID-KEY-INFORMATION")                          \
    X(IKE1_NOTIFY_INVALID_ID_INFORMATION, 18, "INVALID-ID-INFORMATION")                            \
    X(IKE1_NOTIFY_INVALID_CERT_ENCODING, 19, "INVALID-CERT-ENCODING")                              \
    X(IKE1_NOTIFY_INVALID_CERTIFICATE, 20, "INVALID-CERTIFICATE")                                  \
    X(IKE1_NOTIFY_CERT_TYPE_UNSUPPORTED, 21, "CERT-TYPE-UNSUPPORTED")                              \
    X(IKE1_NOTIFY_INVALID_CERT_AUTHORITY, 22, "INVALID-CERT-AUTHORITY")                            \
    X(IKE1_NOTIFY_INVALID_HASH_INFORMATION, 23, "INVALID-HASH-INFORMATION")                        \
    X(IKE1_NOTIFY_AUTHENTICATION_FAILED, 24, "AUTHENTICATION-FAILED")                              \
    X(IKE1_NOTIFY_INVALID_SIGNATURE, 25, "INVALID-SIGNATURE")                                      \
    X(IKE1_NOTIFY_ADDRESS_NOTIFICATION, 26, "ADDRESS-NOTIFICATION")                                \
    X(IKE1_NOTIFY_SA_LIFETIME, 27, "NOTIFY-SA-LIFETIME")                                           \
    X(IKE1_NOTIFY_CERTIFICATE_UNAVAILABLE, 28, "CERTIFICATE-UNAVAILABLE")                          \
    X(IKE1_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE, 29, "UNSUPPORTED-EXCHANGE-TYPE")                      \
    X(IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS, 30, "UNEQUAL-PAYLOAD-LENGTHS")                          \
    X(IKE1_NOTIFY_CONNECTED, 16384, "CONNECTED")                                                   \
    X(IKE1_NOTIFY_RESPONDER_LIFETIME, 24576, "RESPONDER-LIFETIME")                                 \
    X(IKE1_NOTIFY_REPLAY_STATUS, 24577, "REPLAY-STATUS")                                           \
    X(IKE1_NOTIFY_INITIAL_CONTACT, 24578, "INITIAL-CONTACT")                                       \
    X(IKE1_NOTIFY_R_U_THERE, 36136, "R-U-THERE")                                                   \
    X(IKE1_NOTIFY_R_U_THERE_ACK, 36137, "R-U-THERE-ACK")

/* Certificate encodings (RFC 2408 3.9). */
#define IKE1_CERT_LIST(X)                                                                          \
    X(IKE1_CERT_NONE, 0, "none")                                                                   \
    X(IKE1_CERT_PKCS7, 1, "pkcs7")                                                                 \
    X(IKE1_CERT_PGP, 2, "pgp")                                                                     \
    X(IKE1_CERT_DNS, 3, "dns-signed-key")                                                          \
    X(IKE1_CERT_X509_SIGNATURE, 4, "x509-signature")                                               \
    X(IKE1_CERT_X509_KEY_EXCHANGE, 5, "x509-key-exchange")                                         \
    X(IKE1_CERT_KERBEROS, 6, "kerberos")                                                           \
    X(IKE1_CERT_CRL, 7, "crl")                                                                     \
    X(IKE1_CERT_ARL, 8, "arl")                                                                     \
    X(IKE1_CERT_SPKI, 9, "spki")                                                                   \
    X(IKE1_CERT_X509_ATTRIBUTE, 10, "x509-attribute")

#define IKE1_NUMBER(id, number, name) id = number,
#define IKE1_NUMBER_FORM(id, number, form, name) id = number,
enum ike1_payload_type { IKE1_PAYLOAD_LIST(IKE1_NUMBER) };
enum ike1_exchange { IKE1_EXCHANGE_LIST(IKE1_NUMBER) };
enum ike1_doi { IKE1_DOI_LIST(IKE1_NUMBER) };
enum ike1_protocol { IKE1_PROTOCOL_LIST(IKE1_NUMBER) };
enum ike1_id_type { IKE1_ID_LIST(IKE1_NUMBER) };
enum ike1_attribute_type { IKE1_ATTRIBUTE_LIST(IKE1_NUMBER_FORM) };
enum ike1_encryption { IKE1_ENCRYPTION_LIST(IKE1_NUMBER) };
enum ike1_hash { IKE1_HASH_LIST(IKE1_NUMBER) };
enum ike1_auth { IKE1_AUTH_LIST(IKE1_NUMBER) };
enum ike1_life_type { IKE1_LIFE_LIST(IKE1_NUMBER) };
enum ike1_notify_type { IKE1_NOTIFY_LIST(IKE1_NUMBER) };
enum ike1_cert_encoding { IKE1_CERT_LIST(IKE1_NUMBER) };

enum {
    IKE1_SITUATION_IDENTITY_ONLY = 1, /* RFC 2407 4.2.1; DOI 2 has situation 0 (RFC 6407 2.1) */
    IKE1_TRANSFORM_KEY_IKE = 1,       /* RFC 2407 4.4.2 */
};

/* The name of a number as in the lists, "unknown" for any other. Static storage. */
const char *ike1_payload_name(unsigned number);
const char *ike1_exchange_name(unsigned number);
const char *ike1_doi_name(unsigned number);
const char *ike1_protocol_name(unsigned number);
const char *ike1_id_type_name(unsigned number);
const char *ike1_attribute_name(unsigned number);
const char *ike1_encryption_name(unsigned number);
const char *ike1_hash_name(unsigned number);
const char *ike1_auth_name(unsigned number);
const char *ike1_life_name(unsigned number);
const char *ike1_notify_name(unsigned number);
const char *ike1_cert_name(unsigned number);
