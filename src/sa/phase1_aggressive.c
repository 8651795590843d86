/* Aggressive mode with a pre-shared key (RFC 2409 5.4): three messages, identities in clear, the
 * peer found by its identity. The responder has to compute before the peer has shown its return
 * path; only configured identities and the half-open caps stand before that, which is why it is not
 * the default mode.
 *
 *   HDR, SA, KE, Ni, IDii   -->
 *                           <--   HDR, SA, KE, Nr, IDir, HASH_R
 *   HDR*, HASH_I            -->                                    (ours is encrypted; read either
 * way) */
#include "sa/phase1_internal.h"

#include <assert.h>

/* The public value goes into message 1, so its key pair comes first. */
void phase1_aggressive_start(struct phase1_call *c, struct phase1_sa *sa)
{
    phase1_job_generate(c, sa, sa->peer->policy->proposals[0]->dh_group);
}

void phase1_aggressive_generated(struct phase1_call *c, struct phase1_sa *sa,
                                 const struct job_result *r)
{
    struct phase1_handshake *hs = sa->hs;
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct chain_wr chain = phase1_begin(sa, &w, 0);

    hs->private = r->private;
    phase1_blob_set(&hs->public_i, bytes(r->public, r->public_len));
    phase1_fresh_nonce(c->t, &hs->nonce_i);
    phase1_put_offer(sa, &chain);
    phase1_put_ke(sa, &chain);
    phase1_put_id(sa, &chain);
    phase1_put_vendor_ids(sa, &chain);
    phase1_move(sa, PHASE1_AI_SENT_1);
    phase1_finish(c, sa, &w);
    phase1_expect_answer(c, sa, PHASE1_RETRANSMIT_TRIES);
}

/* The identity as message 1 or 2 carries it. */
static enum err read_id(const struct chain *m, struct ike1_id *ret)
{
    struct ike1_id id;
    enum err e = ike1_id_parse(phase1_body(m, IKE1_PAYLOAD_ID), &id);
    if (e == ERR_OK)
        e = ike1_id_check_phase1(&id);
    if (e == ERR_OK)
        *ret = id;
    return e;
}

static enum err choose(const struct phase1_peer *peer, const struct chain *m,
                       const struct ike1_sa *offer, struct phase1_choice *ret)
{
    size_t ke_len = phase1_body(m, IKE1_PAYLOAD_KE).len;
    return phase1_choose(peer->policy, offer, ke_len, ret);
}

enum err phase1_aggressive_first(struct phase1_call *c, const struct chain *m)
{
    const struct phase1_peer *peer = NULL;
    struct ike1_id id;
    struct ike1_sa offer;
    struct phase1_choice choice;
    struct bytes sa_body = phase1_body(m, IKE1_PAYLOAD_SA);

    enum err e = read_id(m, &id);
    if (e)
        return e;
    e = phase1_peer_for_aggressive(c->t, c->from.ip, c->to.ip, &id, &peer);
    if (e)
        return phase1_unknown_peer(c, peer, e, &id);
    e = ike1_sa_parse(sa_body, &offer);
    if (e)
        return phase1_bad_first(c, peer, e);
    e = choose(peer, m, &offer, &choice);
    if (e)
        return phase1_no_proposal(c, peer, &offer);
    e = phase1_job_room(c, PHASE1_JOBS_WAITING_AGGRESSIVE);
    if (e == ERR_OK)
        e = phase1_half_open_room(c);
    if (e)
        return e;
    struct phase1_sa *sa = phase1_respond(c, peer, PHASE1_AR_KEYING, &offer, &choice, sa_body);
    phase1_take_vendor_ids(sa, m);
    phase1_blob_set(&sa->hs->peer_id, phase1_body(m, IKE1_PAYLOAD_ID));
    e = phase1_take_ke(sa, m, true);
    if (e)
        phase1_bury(c->t, sa);
    else
        phase1_job_keys(c, sa);
    return e;
}

/* Message 1 is gone by now; its SA payload is kept, and the choice from it comes out the same. */
static void put_answer(struct phase1_sa *sa, struct chain_wr *chain)
{
    struct ike1_sa offer;
    struct phase1_choice choice;
    enum err e = ike1_sa_parse(phase1_blob_bytes(&sa->hs->sa_body), &offer);

    assert(e == ERR_OK);
    e = phase1_choose(sa->peer->policy, &offer, sa->hs->public_i.len, &choice);
    assert(e == ERR_OK && choice.proposal == sa->proposal);
    phase1_answer(&offer, &choice, chain);
}

void phase1_aggressive_keyed_r(struct phase1_call *c, struct phase1_sa *sa,
                               const struct job_result *r)
{
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct chain_wr chain = phase1_begin(sa, &w, 0);

    phase1_blob_set(&sa->hs->public_r, bytes(r->public, r->public_len));
    phase1_keyed(sa, r);
    put_answer(sa, &chain);
    phase1_put_ke(sa, &chain);
    phase1_put_id(sa, &chain);
    phase1_put_hash(sa, &chain);
    phase1_put_vendor_ids(sa, &chain);
    phase1_move(sa, PHASE1_AR_SENT_2);
    phase1_finish(c, sa, &w);
    sa->hs->answered = sa->hs->pending;
    phase1_expect_answer(c, sa, PHASE1_RETRANSMIT_TRIES_RESPONDER);
}

/* The initiator: HASH_R can be checked when SKEYID is there. */
enum err phase1_aggressive_2(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    struct phase1_handshake *hs = sa->hs;
    struct ike1_id id;
    struct bytes hash;

    if (hs->jobs == PHASE1_JOBS_MAX)
        return ERR_LIMIT;
    enum err e = read_id(m, &id);
    if (e == ERR_OK)
        e = ike1_data_parse(IKE1_PAYLOAD_HASH, phase1_body(m, IKE1_PAYLOAD_HASH), &hash);
    if (e == ERR_OK)
        e = phase1_take_answer(c, sa, m);
    if (e)
        return e;
    e = phase1_take_ke(sa, m, false);
    if (e) {
        phase1_aggressive_forget_answer(c, sa);
        return e;
    }
    phase1_blob_set(&hs->peer_id, phase1_body(m, IKE1_PAYLOAD_ID));
    phase1_blob_set(&hs->peer_hash, hash);
    phase1_move(sa, PHASE1_AI_KEYING);
    phase1_job_keys(c, sa);
    return ERR_OK;
}

/* The answer was not the responder's: its cookie goes, and another message 2 may come. */
void phase1_aggressive_forget_answer(struct phase1_call *c, struct phase1_sa *sa)
{
    struct ike1_cookies cookies = sa->cookies;
    memset(cookies.r, 0, sizeof cookies.r);
    phase1_rekey_cookies(c->t, sa, &cookies);
}

static void send_3(struct phase1_call *c, struct phase1_sa *sa)
{
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct chain_wr chain = phase1_begin(sa, &w, IKE1_FLAG_ENCRYPTION);

    phase1_put_hash(sa, &chain);
    phase1_put_initial_contact(c->t, sa, &chain);
    phase1_finish_sealed(c, sa, &w);
    sa->hs->answered = sa->hs->pending;
}

/* The result is of message 2, whose HASH_R and identity decide now. */
void phase1_aggressive_keyed_i(struct phase1_call *c, struct phase1_sa *sa,
                               const struct job_result *r)
{
    struct phase1_handshake *hs = sa->hs;
    struct bytes id_body = phase1_blob_bytes(&hs->peer_id);
    struct ike1_id id;

    phase1_keyed(sa, r);
    if (!phase1_auth_check(sa, false, id_body, phase1_blob_bytes(&hs->peer_hash))) {
        c->t->counters.dropped[ERR_AUTH]++;
        phase1_suspect(c, sa, "HASH_R does not match: is the pre-shared key the same?");
        phase1_back_to_waiting(c, sa);
        return;
    }
    enum err e = ike1_id_parse(id_body, &id);
    assert(e == ERR_OK); /* read_id() took it */
    if (!phase1_peer_for_id(c->t, sa, &id)) {
        phase1_wrong_identity(c, sa, &id);
        return;
    }
    send_3(c, sa);
    phase1_up(c, sa, NULL);
}

enum err phase1_aggressive_3(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    struct bytes hash;
    bool sealed = c->header->flags & IKE1_FLAG_ENCRYPTION;

    enum err e = ike1_data_parse(IKE1_PAYLOAD_HASH, phase1_body(m, IKE1_PAYLOAD_HASH), &hash);
    if (e == ERR_OK && !phase1_auth_check(sa, true, phase1_blob_bytes(&sa->hs->peer_id), hash))
        e = ERR_AUTH;
    if (e)
        return e;
    if (sealed)
        memcpy(sa->iv, c->iv, sizeof sa->iv);
    sa->hs->answered = c->digest;
    phase1_blob_free(&sa->hs->sent); /* nothing answers message 3 */
    phase1_up(c, sa, sealed ? m : NULL);
    return ERR_OK;
}
