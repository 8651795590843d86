#include "esp/view_build.h"

#include <assert.h>
#include <stdlib.h>

bool esp_keys_can_send(const struct esp_keys *k)
{
    for (size_t i = 0; i < k->n_sas; i++) {
        if (k->sas[i].slot == ESP_SLOT_CURRENT)
            return true;
    }
    return false;
}

static size_t count_selectors(const struct esp_keys *k)
{
    size_t n = 0;
    for (size_t i = 0; i < k->n_sas; i++)
        n += k->sas[i].n_selectors;
    return n;
}

static void index_spi(struct esp_view *v, size_t held)
{
    uint32_t at = esp_view_slot(v, v->held[held].sa->spi);
    while (v->by_spi[at])
        at = (at + 1) & v->spi_mask;
    v->by_spi[at] = (uint16_t)(held + 1);
}

/* Receiving: every slot. */
static void add_held(struct esp_view *v, const struct esp_installed *in, size_t *n_matches)
{
    struct esp_held *h = &v->held[v->n_held++];
    *h = (struct esp_held){in->sa, *n_matches, in->n_selectors};
    memcpy(v->matches + *n_matches, in->matches, in->n_selectors * sizeof *in->matches);
    *n_matches += in->n_selectors;
    esp_sa_ref(in->sa);
    index_spi(v, v->n_held - 1);
}

/* Sending: the current slot, then what is closed; without a key that sends the last known policies,
 * which then lead nowhere. */
static void add_policies(struct esp_view *v, const struct esp_keys *k)
{
    for (size_t i = 0; i < k->n_sas; i++) {
        const struct esp_installed *in = &k->sas[i];
        for (size_t j = 0; in->slot == ESP_SLOT_CURRENT && j < in->n_selectors; j++)
            v->policies[v->n_policies++] = (struct esp_policy){in->matches[j], in->sa};
    }
    for (size_t i = 0; i < k->n_closed; i++)
        v->policies[v->n_policies++] = (struct esp_policy){k->closed[i], NULL};
    if (esp_keys_can_send(k))
        return;
    v->keyless = true;
    for (size_t i = 0; i < k->n_policies; i++) {
        struct esp_policy *p = &v->policies[v->n_policies++];
        enum err e = esp_match_selector(&k->policies[i], &p->match);
        assert(e == ERR_OK); /* it was installed once */
        (void)e;
        p->sa = NULL;
    }
}

static void allocate(struct esp_view *v, const struct esp_vpn *vpns, size_t n)
{
    size_t n_sas = 0, n_matches = 0, n_policies = 0, n_excludes = 0;
    for (size_t i = 0; i < n; i++) {
        n_sas += vpns[i].keys.n_sas;
        n_matches += count_selectors(&vpns[i].keys);
        n_policies += vpns[i].keys.n_policies + vpns[i].keys.n_closed;
        n_excludes += vpns[i].n_excludes;
    }
    uint32_t slots = 16;
    while (slots < 4 * n_sas)
        slots *= 2;
    v->spi_mask = slots - 1;
    v->by_spi = arena_alloc(&v->arena, slots * sizeof *v->by_spi);
    v->held = arena_alloc(&v->arena, n_sas * sizeof *v->held);
    v->matches = arena_alloc(&v->arena, n_matches * sizeof *v->matches);
    v->policies = arena_alloc(&v->arena, (n_policies + n_matches) * sizeof *v->policies);
    v->excludes = arena_alloc(&v->arena, n_excludes * sizeof *v->excludes);
}

struct esp_view *esp_view_build(const struct esp_vpn *vpns, size_t n, uint64_t serial)
{
    struct esp_view *v = calloc(1, sizeof *v);
    if (!v)
        abort();
    v->serial = serial;
    allocate(v, vpns, n);
    size_t n_matches = 0;
    for (size_t i = 0; i < n; i++) {
        const struct esp_vpn *vpn = &vpns[i];
        for (size_t j = 0; j < vpn->keys.n_sas; j++)
            add_held(v, &vpn->keys.sas[j], &n_matches);
        add_policies(v, &vpn->keys);
        for (size_t j = 0; j < vpn->n_excludes; j++)
            v->excludes[v->n_excludes++] = vpn->excludes[j];
    }
    return v;
}

void esp_view_free(struct esp_view *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->n_held; i++)
        esp_sa_unref(v->held[i].sa);
    arena_free(&v->arena);
    free(v);
}
