/* What main and aggressive mode have in common: the first message of a stranger and its refusals,
 * the answer to our own offer, the peer's identity, and coming up. */
#include "sa/phase1_internal.h"

#include <assert.h>
#include <stdio.h>

enum { DETAIL_MAX = 192 };

/* `peer`: whom the address belongs to, when the mode or the identity is what is wrong; NULL:
 * nobody. `id`: what the stranger says he is, in aggressive mode. A stranger at an unknown address
 * gets no answer. */
enum err phase1_unknown_peer(struct phase1_call *c, const struct phase1_peer *peer, enum err err,
                             const struct ike1_id *id)
{
    char detail[DETAIL_MAX] = "no gateway has this address";
    char said[IKE1_ID_TEXT_MAX];

    if (id && err != ERR_UNEXPECTED)
        (void)snprintf(detail, sizeof detail, "the peer says it is %s",
                       phase1_id_text(id, said, sizeof said));
    if (err == ERR_UNEXPECTED)
        (void)snprintf(detail, sizeof detail, "the peer wants %s mode, the policy says the other",
                       ike1_exchange_name(c->header->exchange));
    const struct model_where *where = !peer                   ? c->t->peers.config.where
                                      : err == ERR_UNEXPECTED ? &peer->policy->where
                                                              : &peer->where;
    phase1_tell_refused(c, peer, err, where, detail);
    if (peer)
        phase1_notify_clear(c, &c->header->cookies, IKE1_DOI_IPSEC,
                            err == ERR_IDENTITY ? IKE1_NOTIFY_INVALID_ID_INFORMATION
                                                : IKE1_NOTIFY_INVALID_EXCHANGE_TYPE);
    return err;
}

enum err phase1_bad_first(struct phase1_call *c, const struct phase1_peer *peer, enum err err)
{
    uint16_t type = err == ERR_DOI         ? IKE1_NOTIFY_DOI_NOT_SUPPORTED
                    : err == ERR_SITUATION ? IKE1_NOTIFY_SITUATION_NOT_SUPPORTED
                                           : IKE1_NOTIFY_PAYLOAD_MALFORMED;
    phase1_tell_refused(c, peer, err, NULL, "message 1");
    phase1_notify_clear(c, &c->header->cookies, IKE1_DOI_IPSEC, type);
    return err;
}

enum err phase1_no_proposal(struct phase1_call *c, const struct phase1_peer *peer,
                            const struct ike1_sa *offer)
{
    char detail[DETAIL_MAX], offered[80], ours[80];

    (void)snprintf(detail, sizeof detail, "offered: %s; configured: %s",
                   phase1_offer_text(offer, offered, sizeof offered),
                   phase1_policy_text(peer->policy, ours, sizeof ours));
    phase1_tell_refused(c, peer, ERR_NO_PROPOSAL, &peer->policy->where, detail);
    phase1_notify_clear(c, &c->header->cookies, offer->doi, IKE1_NOTIFY_NO_PROPOSAL_CHOSEN);
    return ERR_NO_PROPOSAL;
}

/* All checks have passed: a half-open SA as responder. */
struct phase1_sa *phase1_respond(struct phase1_call *c, const struct phase1_peer *peer,
                                 enum phase1_at at, const struct ike1_sa *offer,
                                 const struct phase1_choice *choice, struct bytes sa_body)
{
    struct ike1_cookies cookies = c->header->cookies;

    phase1_fresh_cookie(c->t, &cookies, cookies.r);
    struct phase1_sa *sa =
        phase1_sa_new(c->t, peer, choice->proposal, at, &cookies, c->to, c->from);
    sa->doi = (uint8_t)offer->doi;
    sa->hs->lifetime_s = choice->lifetime_s;
    sa->hs->deadline = instant_add(c->now, PHASE1_HALF_OPEN_LIFE);
    c->t->counters.doi_ipsec += offer->doi == IKE1_DOI_IPSEC;
    phase1_blob_set(&sa->hs->sa_body, sa_body);
    phase1_half_open_add(c->t, sa, c->digest);
    phase1_schedule(c->t, sa);
    return sa;
}

/* The initiator's side of message 2: the chosen transform, and the responder's cookie. */
enum err phase1_take_answer(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m)
{
    struct ike1_sa answer;
    struct phase1_choice choice;

    enum err e = ike1_sa_parse(phase1_body(m, IKE1_PAYLOAD_SA), &answer);
    if (e == ERR_OK)
        e = phase1_check_answer(sa->peer->policy, &answer, &choice);
    if (e)
        return e;
    sa->proposal = choice.proposal;
    sa->hs->lifetime_s = choice.lifetime_s;
    sa->hs->pending = c->digest;
    phase1_take_vendor_ids(sa, m);
    phase1_rekey_cookies(c->t, sa, &c->header->cookies);
    return ERR_OK;
}

/* The key is right, the name is not: this refusal can be protected, and the peer may believe it. */
void phase1_wrong_identity(struct phase1_call *c, struct phase1_sa *sa, const struct ike1_id *said)
{
    char detail[DETAIL_MAX], text[64], wanted[64];
    struct ike1_id expected = phase1_id_remote(sa->peer, &sa->ip);

    (void)snprintf(detail, sizeof detail, "the peer says it is %s, configured is %s",
                   phase1_id_text(said, text, sizeof text),
                   phase1_id_text(&expected, wanted, sizeof wanted));
    phase1_refuse(c->t, sa, IKE1_NOTIFY_INVALID_ID_INFORMATION, c->out);
    phase1_fail(c, sa, ERR_IDENTITY, &sa->peer->where, detail);
}

/* Only the last message stays for a while, if the peer may not have got it: a responder's always,
 * an initiator's message 3 of aggressive mode. */
static void trim_handshake(struct phase1_call *c, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;
    struct phase1_blob *blobs[] = {&hs->sa_body, &hs->public_i, &hs->public_r, &hs->nonce_i,
                                   &hs->nonce_r, &hs->peer_id,  &hs->peer_hash};

    phase1_half_open_remove(c->t, sa);
    if (sa->initiator && !phase1_is_mode_aggressive(sa)) {
        phase1_handshake_drop(c->t, sa);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(blobs); i++)
        phase1_blob_free(blobs[i]);
    secret_wipe(&hs->private);
    secret_wipe(&hs->skeyid);
    hs->resend = INSTANT_NEVER;
    hs->deadline = instant_add(c->now, PHASE1_HALF_OPEN_LIFE);
}

void phase1_up(struct phase1_call *c, struct phase1_sa *sa, const struct chain *last)
{
    bool initial = last && phase1_chain_is_initial(sa, last);

    phase1_move(sa, PHASE1_AT_UP);
    sa->expiry = instant_add(c->now, span_s(sa->hs->lifetime_s));
    trim_handshake(c, sa);
    phase1_pair_add(c->t, sa, c->now);
    if (initial)
        phase1_initial_contact(c->t, sa, c->now);
    phase1_schedule(c->t, sa);
    c->t->counters.established++;
    c->outcome = (struct phase1_outcome){.kind = PHASE1_UP, .sa = sa};
    phase1_tell_up(c, sa);
}
