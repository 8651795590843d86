#include "sim/check.h"
#include "sim/world.h"

/* The slots from which keys are given away: what is MINTED nobody may know. */
static bool is_visible(size_t slot) { return slot != GROUP_MINTED; }

static uint32_t sa_number(struct check *c, const struct group *g, const struct group_sa *sa,
                          struct arena *a)
{
    return check_name(c, arena_text(a, "%u %s", g->model->id, sa->model->name));
}

/* Whom a generation succeeds, as far as members know: those that protect the same. */
static uint32_t lineage(struct check *c, const struct group *g, const struct generation *gen,
                        struct arena *a)
{
    const char *text = arena_text(a, "%u", g->model->id);
    char source[PREFIX_TEXT_MAX], destination[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < gen->policy->n_policies; i++) {
        const struct model_match_policy *p = &gen->policy->policies[i];
        text =
            arena_text(a, "%s, %s %s %u %u %u", text, prefix_text(p->source, source, sizeof source),
                       prefix_text(p->destination, destination, sizeof destination), p->protocol,
                       p->source_port, p->destination_port);
    }
    return check_name(c, text);
}

/* The server's own word on every generation and every KEK in its slots. */
void truth_tell(struct check *c, struct world *w, size_t server)
{
    const struct server *s = w->nodes[server].server;
    struct disk *disk = &w->nodes[server].disk;
    struct arena arena = {0};

    check_ask(c);

    for (size_t i = 0; i < server_n_groups(s); i++) {
        const struct group *g = server_group(s, i);
        for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
            const struct kek_generation *kek = g->kek[slot];
            if (kek && slot != GROUP_KEK_MINTED &&
                check_keks_truth(check_keks(c), w, g->model->id, kek))
                check_durable(w, disk, STORE_KEK, secret_bytes(&kek->key));
        }
        for (size_t j = 0; j < g->n_sas; j++) {
            for (size_t slot = 0; slot < GROUP_SLOTS; slot++) {
                const struct generation *gen = g->sas[j].slot[slot];
                if (!gen || !is_visible(slot))
                    continue;
                if (!check_number(c, gen->spi))
                    check_durable(w, disk, STORE_TEK, secret_bytes(&gen->key));
                check_truth(c, w,
                            &(struct truth){.spi = gen->spi,
                                            .sa = sa_number(c, g, &g->sas[j], &arena),
                                            .lineage = lineage(c, g, gen, &arena),
                                            .group_id = g->model->id,
                                            .created = gen->time.created,
                                            .switch_at = gen->time.switch_at,
                                            .drop_at = gen->time.drop_at,
                                            .expiry = gen->time.expiry});
            }
        }
    }
    arena_free(&arena);
}
