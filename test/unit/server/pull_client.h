#pragma once
/* A group member cranked by hand: phase 1 by the engine, GROUPKEY-PULL message by message, so that
 * whoever drives it may change, repeat, hold back or invent any of them. It asserts nothing about
 * the server's answers but that its own side works. */
#include "gdoi/kd.h"
#include "gdoi/notify.h"
#include "gdoi/sa.h"
#include "sa/exchange.h"
#include "sa/job.h"
#include "sa/phase1.h"

enum { PULL_CLIENT_NONCE = 24, PULL_CLIENT_KEYS = 16 };

struct pull_client_key {
    uint32_t spi;
    uint8_t cipher_key[GDOI_KEY_MAX], auth_key[GDOI_KEY_MAX];
    size_t cipher_len, auth_len;
};
struct pull_client_kek {
    bool present, has_seq;
    uint32_t seq; /* SEQ of message 4, if there was one */
    struct ike1_cookies spi;
    uint8_t iv[GDOI_KEY_MAX], key[GDOI_KEY_MAX], sig_key[GDOI_SIG_KEY_MAX];
    size_t iv_len, key_len, sig_key_len;
};
struct pull_client {
    struct model_ike_policy policy;
    struct phase1_peer peer; /* the server */
    struct endpoint local, server;
    struct drbg drbg;
    struct phase1_table *table;
    struct phase1_sa *sa; /* NULL until it is up, and when it went down */
    struct effects out;   /* the driver carries them out and resets */
    uint16_t notified;    /* type of the last notification under the SA */
    struct gdoi_refusal refusal;
    uint8_t refusal_text[GDOI_REASON_TEXT_MAX];
    /* the exchange */
    uint32_t message_id;
    struct exchange_iv iv;
    uint8_t nr[GDOI_NONCE_MAX];
    size_t nr_len;
    struct gdoi_sa offer; /* of message 2 */
    /* what the last completed one gave */
    size_t n_keys;
    struct pull_client_key keys[PULL_CLIENT_KEYS];
    struct pull_client_kek kek;
    bool has_state;
    struct gdoi_state state;
};

/* proposal: the one of phase 1; identity NONE: the local address. All outlive the client. */
struct pull_client_config {
    const struct model_ike_proposal *const *proposal;
    struct bytes psk;
    struct model_identity identity;
    enum model_ike_mode mode;
    struct endpoint local, server;
    uint8_t seed;
};
void pull_client_open(struct pull_client *c, const struct pull_client_config *config);
void pull_client_close(struct pull_client *c);

void pull_client_start(struct pull_client *c, instant_t now); /* phase 1 */
void pull_client_job(struct pull_client *c, instant_t now, const struct job_result *result);
void pull_client_timer(struct pull_client *c, instant_t now);
/* A datagram of phase 1, decrypted in place. */
void pull_client_phase1(struct pull_client *c, instant_t now, struct endpoint from,
                        uint8_t *datagram, size_t len);

/* Message 1 under a new message id. `more` appends what does not belong there; NULL: nothing. */
typedef void pull_client_more(struct chain_wr *chain);
struct bytes pull_client_1(struct pull_client *c, uint32_t group_id, pull_client_more *more,
                           uint8_t room[DATAGRAM_MAX]);
/* The same with a free hand: `write` writes all that follows HASH. */
struct bytes pull_client_any_1(struct pull_client *c, pull_client_more *write,
                               uint8_t room[DATAGRAM_MAX]);
struct bytes pull_client_3(struct pull_client *c, pull_client_more *more,
                           uint8_t room[DATAGRAM_MAX]);
/* Read messages 2 and 4 (a copy: the octets are decrypted in place). An error leaves the exchange
 * as it was. */
MUST_USE enum err pull_client_2(struct pull_client *c, struct bytes datagram);
MUST_USE enum err pull_client_4(struct pull_client *c, struct bytes datagram);
const struct pull_client_key *pull_client_key_of(const struct pull_client *c, uint32_t spi);
