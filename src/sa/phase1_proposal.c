/* Offers and choices (RFC 2409 5). The responder takes the first of its own proposals that is among
 * the offered transforms, and answers with that transform's very octets: it must not change an
 * offer. The lifetime is the smaller of both; the side whose own is shorter ends the SA with a
 * Delete. */
#include "sa/phase1_internal.h"

#include <assert.h>
#include <stdio.h>

static struct ike1_phase1 of_model(const struct model_ike_proposal *p)
{
    return (struct ike1_phase1){
        .encryption = (uint16_t)p->cipher,
        .hash = (uint16_t)p->hash,
        .auth = (uint16_t)p->auth,
        .group = p->dh_group,
        .key_length = p->key_bits,
        .life = {.has_seconds = p->lifetime_s != 0, .seconds = p->lifetime_s},
    };
}

/* Aggressive mode sends its public value along, so the group is not negotiable: only proposals with
 * the group of the first one are offered. */
static bool offerable(const struct model_ike_policy *policy, const struct model_ike_proposal *p)
{
    return policy->mode == MODEL_MODE_MAIN || p->dh_group == policy->proposals[0]->dh_group;
}

void phase1_offer(const struct model_ike_policy *policy, struct chain_wr *c)
{
    enum { ROOM = 64 };
    uint8_t octets[IKE1_TRANSFORMS_MAX][ROOM];
    struct ike1_sa sa = {.doi = IKE1_DOI_GDOI, .proposal_number = 1};

    for (size_t i = 0; i < policy->n_proposals && sa.n_transforms < IKE1_TRANSFORMS_MAX; i++) {
        if (!offerable(policy, policy->proposals[i]))
            continue;
        struct ike1_phase1 p = of_model(policy->proposals[i]);
        size_t n = sa.n_transforms++;
        struct wr w = wr_of(octets[n], ROOM);
        ike1_phase1_write(&w, &p);
        assert(wr_end(&w) == ERR_OK);
        sa.transforms[n] = (struct ike1_transform){
            .number = (uint8_t)(n + 1), .id = IKE1_TRANSFORM_KEY_IKE, .attributes = wr_bytes(&w)};
    }
    ike1_sa_write(c, &sa);
}

static uint32_t smaller_life(const struct model_ike_proposal *ours, const struct ike1_life *theirs)
{
    uint32_t life = ours->lifetime_s;
    if (theirs->has_seconds && (life == 0 || theirs->seconds < life))
        life = theirs->seconds;
    return life == 0 ? PHASE1_LIFETIME_DEFAULT_S : life;
}

/* The transforms of an offer that can be read and have a life, each read once. */
struct readable {
    size_t n;
    struct ike1_phase1 p[IKE1_TRANSFORMS_MAX];
    const struct ike1_transform *t[IKE1_TRANSFORMS_MAX];
};

static void read_offer(const struct ike1_sa *offer, struct readable *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < offer->n_transforms; i++) {
        const struct ike1_transform *t = &offer->transforms[i];
        struct ike1_phase1 *p = &ret->p[ret->n];
        if (t->id != IKE1_TRANSFORM_KEY_IKE || ike1_phase1_parse(t->attributes, p) != ERR_OK ||
            (p->life.has_seconds && p->life.seconds == 0))
            continue;
        ret->t[ret->n++] = t;
    }
}

static bool choose_from(const struct readable *theirs, const struct model_ike_proposal *ours,
                        struct phase1_choice *ret)
{
    struct ike1_phase1 want = of_model(ours);
    for (size_t i = 0; i < theirs->n; i++) {
        if (!ike1_phase1_same_algorithms(&theirs->p[i], &want))
            continue;
        *ret = (struct phase1_choice){ours, *theirs->t[i], smaller_life(ours, &theirs->p[i].life)};
        return true;
    }
    return false;
}

/* ke_len: the length of the public value that came along, 0 for none. ERR_NO_PROPOSAL. */
enum err phase1_choose(const struct model_ike_policy *policy, const struct ike1_sa *offer,
                       size_t ke_len, struct phase1_choice *ret)
{
    struct readable theirs;

    read_offer(offer, &theirs);
    for (size_t i = 0; i < policy->n_proposals; i++) {
        const struct model_ike_proposal *ours = policy->proposals[i];
        if (ke_len && dh_public_len(ours->dh_group) != ke_len)
            continue;
        if (choose_from(&theirs, ours, ret))
            return ERR_OK;
    }
    return ERR_NO_PROPOSAL;
}

void phase1_answer(const struct ike1_sa *offer, const struct phase1_choice *choice,
                   struct chain_wr *c)
{
    struct ike1_sa answer = {.doi = offer->doi,
                             .situation = offer->situation,
                             .proposal_number = offer->proposal_number,
                             .n_transforms = 1};
    answer.transforms[0] = choice->transform;
    ike1_sa_write(c, &answer);
}

/* The initiator's side: one transform, one that we offered. */
enum err phase1_check_answer(const struct model_ike_policy *policy, const struct ike1_sa *answer,
                             struct phase1_choice *ret)
{
    if (answer->doi != IKE1_DOI_GDOI)
        return ERR_DOI;
    if (answer->n_transforms != 1)
        return ERR_TOO_MANY;
    struct phase1_choice choice;
    enum err e = phase1_choose(policy, answer, 0, &choice);
    if (e == ERR_OK && !offerable(policy, choice.proposal))
        e = ERR_NO_PROPOSAL;
    if (e == ERR_OK)
        *ret = choice;
    return e;
}

static size_t add_name(char *out, size_t room, size_t at, const char *name, unsigned number)
{
    bool known = bytes_equal(bytes_str(name), bytes_str("unknown")) == false;
    int n = known ? snprintf(out + at, room - at, "%s", name)
                  : snprintf(out + at, room - at, "%u", number);
    return n < 0 || (size_t)n >= room - at ? room - 1 : at + (size_t)n;
}

static size_t add_text(char *out, size_t room, size_t at, const char *text)
{
    return add_name(out, room, at, text, 0);
}

/* cipher[-bits]/hash/group, and the method where it is not the pre-shared key */
static size_t add_phase1(char *out, size_t room, size_t at, const struct ike1_phase1 *p)
{
    char bits[16];
    if (at > 0)
        at = add_text(out, room, at, ", ");
    at = add_name(out, room, at, ike1_encryption_name(p->encryption), p->encryption);
    (void)snprintf(bits, sizeof bits, "-%u", p->key_length);
    if (p->key_length)
        at = add_text(out, room, at, bits);
    at = add_text(out, room, at, "/");
    at = add_name(out, room, at, ike1_hash_name(p->hash), p->hash);
    (void)snprintf(bits, sizeof bits, "/group%u", p->group);
    at = add_text(out, room, at, bits);
    if (p->auth == IKE1_AUTH_PSK)
        return at;
    at = add_text(out, room, at, "/");
    return add_name(out, room, at, ike1_auth_name(p->auth), p->auth);
}

char *phase1_offer_text(const struct ike1_sa *offer, char *out, size_t room)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < offer->n_transforms; i++) {
        struct ike1_phase1 p;
        enum err e = ike1_phase1_parse(offer->transforms[i].attributes, &p);
        if (e == ERR_OK)
            at = add_phase1(out, room, at, &p);
        else
            at = add_text(out, room, at, at ? ", unreadable" : "unreadable");
    }
    return out;
}

char *phase1_policy_text(const struct model_ike_policy *policy, char *out, size_t room)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < policy->n_proposals; i++) {
        struct ike1_phase1 p = of_model(policy->proposals[i]);
        at = add_phase1(out, room, at, &p);
    }
    return out;
}
