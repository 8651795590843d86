/* Main mode with a pre-shared key (RFC 2409 5.4). */
#include "sa/phase1_internal.h"

#include <assert.h>

void phase1_main_start(struct phase1_call *c, struct phase1_sa *sa)
{
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct chain_wr chain = phase1_begin(sa, &w, 0);

    phase1_put_offer(sa, &chain);
    phase1_put_vendor_ids(sa, &chain);
    phase1_finish(c, sa, &w);
    phase1_expect_answer(c, sa, PHASE1_RETRANSMIT_TRIES);
}

static void send_2(struct phase1_call *c, struct phase1_sa *sa, const struct ike1_sa *offer,
                   const struct phase1_choice *choice)
{
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct chain_wr chain = phase1_begin(sa, &w, 0);

    phase1_answer(offer, choice, &chain);
    phase1_put_vendor_ids(sa, &chain);
    phase1_finish(c, sa, &w);
    sa->hs->answered = c->digest;
}

/* A stranger's message 1. The cheap checks come first; nothing is kept before all of them have
 * passed. */
enum err phase1_main_first(struct phase1_call *c, const struct chain *m)
{
    const struct phase1_peer *peer = NULL;
    struct ike1_sa offer;
    struct phase1_choice choice;
    struct bytes sa_body = phase1_body(m, IKE1_PAYLOAD_SA);

    enum err e = phase1_peer_for_main(c->t, c->from.ip, c->to.ip, &peer);
    if (e)
        return phase1_unknown_peer(c, peer, e, NULL);
    e = ike1_sa_parse(sa_body, &offer);
    if (e)
        return phase1_bad_first(c, peer, e);
    e = phase1_choose(peer->policy, &offer, 0, &choice);
    if (e)
        return phase1_no_proposal(c, peer, &offer);
    e = phase1_half_open_room(c);
    if (e)
        return e;
    struct phase1_sa *sa = phase1_respond(c, peer, PHASE1_R_SENT_2, &offer, &choice, sa_body);
    phase1_take_vendor_ids(sa, m);
    send_2(c, sa, &offer, &choice);
    return ERR_OK;
}

enum err phase1_main_2(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    enum err e = phase1_take_answer(c, sa, m);
    if (e)
        return e;
    phase1_move(sa, PHASE1_I_GENERATING);
    phase1_job_generate(c, sa, sa->proposal->dh_group);
    return ERR_OK;
}

static void send_ke(struct phase1_call *c, struct phase1_sa *sa)
{
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct chain_wr chain = phase1_begin(sa, &w, 0);

    phase1_put_ke(sa, &chain);
    phase1_finish(c, sa, &w);
}

void phase1_main_generated(struct phase1_call *c, struct phase1_sa *sa, const struct job_result *r)
{
    struct phase1_handshake *hs = sa->hs;

    hs->private = r->private;
    phase1_blob_set(&hs->public_i, bytes(r->public, r->public_len));
    phase1_fresh_nonce(c->t, &hs->nonce_i);
    phase1_move(sa, PHASE1_I_SENT_3);
    send_ke(c, sa);
    phase1_expect_answer(c, sa, PHASE1_RETRANSMIT_TRIES);
}

/* Our cookie came back, so the peer is where it says it is: now the costly part may begin. */
enum err phase1_main_3(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    if (sa->hs->jobs == PHASE1_JOBS_MAX)
        return ERR_LIMIT;
    enum err e = phase1_job_room(c, PHASE1_JOBS_WAITING_MAX);
    if (e == ERR_OK)
        e = phase1_take_ke(sa, m, true);
    if (e)
        return e;
    phase1_half_open_routable(sa);
    phase1_move(sa, PHASE1_R_KEYING);
    phase1_job_keys(c, sa);
    return ERR_OK;
}

void phase1_main_keyed_r(struct phase1_call *c, struct phase1_sa *sa, const struct job_result *r)
{
    struct phase1_handshake *hs = sa->hs;

    phase1_blob_set(&hs->public_r, bytes(r->public, r->public_len));
    phase1_keyed(sa, r);
    phase1_move(sa, PHASE1_R_SENT_4);
    send_ke(c, sa);
    hs->answered = hs->pending;
    phase1_expect_answer(c, sa, 0);
}

enum err phase1_main_4(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    if (sa->hs->jobs == PHASE1_JOBS_MAX)
        return ERR_LIMIT;
    enum err e = phase1_take_ke(sa, m, false);
    if (e)
        return e;
    phase1_move(sa, PHASE1_I_KEYING);
    phase1_job_keys(c, sa);
    return ERR_OK;
}

/* HDR*, ID, HASH: messages 5 and 6. */
static void send_id(struct phase1_call *c, struct phase1_sa *sa)
{
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct chain_wr chain = phase1_begin(sa, &w, IKE1_FLAG_ENCRYPTION);

    phase1_put_id(sa, &chain);
    phase1_put_hash(sa, &chain);
    phase1_put_initial_contact(c->t, sa, &chain);
    phase1_finish_sealed(c, sa, &w);
}

void phase1_main_keyed_i(struct phase1_call *c, struct phase1_sa *sa, const struct job_result *r)
{
    phase1_keyed(sa, r);
    phase1_move(sa, PHASE1_I_SENT_5);
    send_id(c, sa);
    phase1_expect_answer(c, sa, PHASE1_RETRANSMIT_TRIES);
}

/* Authenticates the ID and HASH of messages 5 and 6 and takes the IV over. ERR_AUTH. */
static enum err check_id(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m,
                         struct ike1_id *ret)
{
    struct bytes id_body = phase1_body(m, IKE1_PAYLOAD_ID), hash;

    enum err e = ike1_data_parse(IKE1_PAYLOAD_HASH, phase1_body(m, IKE1_PAYLOAD_HASH), &hash);
    if (e == ERR_OK && !phase1_auth_check(sa, !sa->initiator, id_body, hash))
        e = ERR_AUTH;
    if (e == ERR_OK)
        e = ike1_id_parse(id_body, ret);
    if (e == ERR_OK)
        memcpy(sa->iv, c->iv, sizeof sa->iv);
    return e;
}

enum err phase1_main_5(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    struct ike1_id id;
    enum err e = check_id(c, sa, m, &id);
    if (e)
        return e;
    const struct phase1_peer *peer = phase1_peer_for_id(c->t, sa, &id);
    if (!peer || ike1_id_check_phase1(&id)) {
        phase1_wrong_identity(c, sa, &id);
        return ERR_OK;
    }
    sa->peer = peer;
    send_id(c, sa);
    sa->hs->answered = c->digest;
    phase1_up(c, sa, m);
    return ERR_OK;
}

/* RFC 6407 3.1: the member MUST check that the key server is the one he means. */
enum err phase1_main_6(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    struct ike1_id id;
    enum err e = check_id(c, sa, m, &id);
    if (e)
        return e;
    if (!phase1_peer_for_id(c->t, sa, &id) || ike1_id_check_phase1(&id))
        phase1_wrong_identity(c, sa, &id);
    else
        phase1_up(c, sa, m);
    return ERR_OK;
}
