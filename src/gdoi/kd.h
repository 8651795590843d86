#pragma once
/* The KD payload (RFC 6407 5.6). Keys are views into the message: copy them into struct secret
 * before it goes away. */
#include "gdoi/dialect.h"
#include "gdoi/numbers.h"
#include "gdoi/sa.h"
#include "wire/chain.h"

enum {
    GDOI_TEKS_MAX = 64,
    GDOI_SIDS_MAX = IKE1_ATTRIBUTES_MAX - 1,
    GDOI_KEY_MAX = 64,
    GDOI_SIG_KEY_MAX = 1100
};

struct gdoi_tek_packet {
    uint32_t spi;
    struct bytes
        cipher_key; /* TEK_ALGORITHM_KEY; for GCM the salt behind it; empty = absent (ESP NULL) */
    struct bytes integrity_key; /* TEK_INTEGRITY_KEY; empty = absent (GCM) */
};
struct gdoi_kek_packet {
    struct ike1_cookies spi;
    struct bytes iv_and_key; /* KEK_ALGORITHM_KEY: IV, then key */
    struct bytes sig_key;    /* SIG_ALGORITHM_KEY: DER; empty = absent */
};
struct gdoi_sid_packet {
    uint16_t bits; /* NUMBER_OF_SID_BITS */
    size_t n;
    struct bytes value[GDOI_SIDS_MAX];
};
struct gdoi_kd {
    size_t n_teks;
    struct gdoi_tek_packet teks[GDOI_TEKS_MAX];
    bool has_kek, has_sid;
    struct gdoi_kek_packet kek;
    struct gdoi_sid_packet sid;
};

/* ERR_TYPE for LKH and unknown packets (*ret_packet, NULL allowed, is then the packet's type, for
 * the log: gdoi_kd_name()); ERR_LENGTH when a count, SPI size or key does not fit; ERR_MISSING for
 * a packet without its keys or a payload without packets; ERR_DUPLICATE for a second KEK or SID
 * packet, attribute or TEK SPI; ERR_TOO_MANY, ERR_ATTRIBUTE, ERR_SHORT, ERR_TRAILING. */
MUST_USE enum err gdoi_kd_parse(struct bytes body, struct gdoi_kd *ret, uint8_t *ret_packet);
/* KEK, then TEKs, then SID. */
void gdoi_kd_write(struct chain_wr *c, const struct gdoi_kd *kd);

/* Whether KD holds exactly the keys of SA: one TEK packet for each SPI of the SATs, a KEK packet
 * when there is a SAK, each key as long as its algorithm says. `carrier` is the SPI of the KEK that
 * a push came under, NULL for a PULL: in a push the KEK packet may bear that SPI instead of the
 * SAK's (counted). Counts DES keys without parity. ERR_MISSING for a key that is absent,
 * ERR_CONFLICT for one that nothing asks for, ERR_LENGTH for a key of the wrong length, ERR_TYPE or
 * ERR_VALUE for an algorithm that is not built, ERR_ORDER for a SID packet in a push (RFC
 * 6407 5.6.4). */
MUST_USE enum err gdoi_kd_match(const struct gdoi_sa *sa, const struct gdoi_kd *kd,
                                const struct ike1_cookies *carrier, struct gdoi_tolerated *t);
/* SIG_ALGORITHM_KEY as PKCS #1 RSAPublicKey, a sequence that begins with an integer, and not as a
 * SubjectPublicKeyInfo, which begins with another sequence. */
bool gdoi_sig_key_is_pkcs1(struct bytes der);
/* The packet of that SPI, or NULL. */
const struct gdoi_tek_packet *gdoi_kd_tek(const struct gdoi_kd *kd, uint32_t spi);
/* Splits iv_and_key by the algorithm of the SAK. ERR_LENGTH, ERR_TYPE, ERR_VALUE. */
MUST_USE enum err gdoi_kek_split(const struct gdoi_sak *sak, struct bytes iv_and_key,
                                 struct bytes *ret_iv, struct bytes *ret_key);
