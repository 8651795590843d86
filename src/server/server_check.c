#include "server/server_check.h"

#include "server/limits.h"
#include "server/size.h"
#include "server/state.h"

enum err server_cannot(struct effects *out, enum err err, const struct model_where *where,
                       const char *what)
{
    struct event e = event_of(EV_CONFIG);

    model_event_where(&e, where);
    event_add_str(&e, "what", what);
    event_add_err(&e, err);
    effects_tell(out, &e);
    return err;
}

static enum err check_ipsec_sa(const struct model_group *g, const struct model_ipsec_sa *sa,
                               struct effects *out)
{
    enum err e = mint_check(sa->proposal);

    if (e == ERR_UNBUILT)
        return server_cannot(out, e, &sa->proposal->where,
                             "counter modes in a group need sender identifiers");
    if (e)
        return server_cannot(out, e, &sa->proposal->where, "algorithm");
    if (sa->proposal->lifetime_s < GROUP_LIFETIME_ATDS * g->atd_s)
        return server_cannot(out, ERR_CONFIG, &sa->proposal->where,
                             "lifetime-seconds must be at least 10 times activation-time-delay");
    return ERR_OK;
}

static enum err check_communication(const struct model_group *g, struct effects *out)
{
    const struct model_communication *c = &g->communication;
    enum err e = c->present ? kek_check(c) : ERR_OK;

    if (e)
        return server_cannot(out, e, &c->where, "algorithm");
    if (c->present && c->lifetime_s < GROUP_LIFETIME_ATDS * g->atd_s)
        return server_cannot(out, ERR_CONFIG, &c->where,
                             "lifetime-seconds must be at least 10 times activation-time-delay");
    return ERR_OK;
}

static enum err check_group(const struct model_group *g, struct effects *out)
{
    size_t policies = 0;
    enum err e = check_communication(g, out);

    if (e)
        return e;
    for (size_t i = 0; !e && i < g->n_sas; i++) {
        e = check_ipsec_sa(g, &g->sas[i], out);
        policies += g->sas[i].n_policies;
    }
    if (!e && (g->n_sas > SERVER_SAS_MAX || policies > SERVER_POLICIES_MAX))
        return server_cannot(out, ERR_LIMIT, &g->where,
                             "more ipsec-sas or match-policies than one message can carry");
    return e;
}

enum err server_check(const struct model_server *model, struct effects *out)
{
    enum err e = ERR_OK;

    if (model->n_groups > MODEL_GROUPS_MAX)
        e = server_cannot(out, ERR_LIMIT, &model->where, "too many groups");
    for (size_t i = 0; !e && i < model->n_groups; i++)
        e = check_group(&model->groups[i], out);
    return e;
}

/* The longest key pair that the group's messages carry or are signed with from now on: until its
 * KEK ends also that of the KEK. */
static unsigned bits_of(const struct server *s, const struct model_group *model,
                        const struct signing_key *key)
{
    unsigned bits = key ? key->bits : SERVER_SIGN_BITS;

    for (size_t i = 0; i < s->n_groups; i++) {
        const struct group *g = s->groups[i];
        for (size_t slot = 0; g->model->id == model->id && slot < GROUP_KEK_SLOTS; slot++) {
            if (g->kek[slot] && g->kek[slot]->signer->bits > bits)
                bits = g->kek[slot]->signer->bits;
        }
    }
    return bits;
}

enum err server_check_certificates(const struct server *s, const struct model_server *model,
                                   const struct certified *certified, struct effects *out)
{
    enum err e = ERR_OK;

    for (size_t i = 0; !e && i < model->n_groups; i++) {
        const struct model_communication *c = &model->groups[i].communication;
        if (!c->present)
            continue;
        const struct signing_key *key =
            c->certificate ? certified_find(certified, c->certificate) : NULL;
        if (c->certificate && !key)
            return server_cannot(out, ERR_NOT_FOUND, &c->where, "certificate");
        e = size_check(&model->groups[i], bits_of(s, &model->groups[i], key), out);
    }
    return e;
}
