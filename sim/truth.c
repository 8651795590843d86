#include "sim/check.h"
#include "sim/world.h"

/* The slots from which keys are given away: what is MINTED nobody may know. */
static bool is_visible(size_t slot) { return slot != GROUP_MINTED; }

/* The server's own word on every generation and every KEK in its slots. */
void truth_tell(struct check *c, struct world *w, size_t server)
{
    const struct server *s = w->nodes[server].server;
    struct disk *disk = &w->nodes[server].disk;
    uint32_t number = 0;

    check_ask(c);

    for (size_t i = 0; i < server_n_groups(s); i++) {
        const struct group *g = server_group(s, i);
        for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
            const struct kek_generation *kek = g->kek[slot];
            if (kek && slot != GROUP_KEK_MINTED &&
                check_keks_truth(check_keks(c), w, g->model->id, kek))
                check_durable(w, disk, STORE_KEK, secret_bytes(&kek->key));
        }
        for (size_t j = 0; j < g->n_sas; j++, number++) {
            for (size_t slot = 0; slot < GROUP_SLOTS; slot++) {
                const struct generation *gen = g->sas[j].slot[slot];
                if (!gen || !is_visible(slot))
                    continue;
                if (!check_number(c, gen->spi))
                    check_durable(w, disk, STORE_TEK, secret_bytes(&gen->key));
                check_truth(c, w,
                            &(struct truth){.spi = gen->spi,
                                            .sa = number,
                                            .group_id = g->model->id,
                                            .created = gen->time.created,
                                            .switch_at = gen->time.switch_at,
                                            .drop_at = gen->time.drop_at,
                                            .expiry = gen->time.expiry});
            }
        }
    }
}
