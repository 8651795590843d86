/* The questions that the pipelines ask of a view. */
#include "esp/sadb.h"

#include <stdlib.h>

enum { IPV4_AND_ESP = IPV4_HEADER + 8, TRAILER = 2 };

static bool held_covers(const struct esp_view *v, const struct esp_held *h, uint32_t source,
                        uint32_t destination)
{
    for (size_t i = 0; i < h->n_matches; i++) {
        if (esp_match_addresses(&v->matches[h->first_match + i], source, destination))
            return true;
    }
    return false;
}

const struct esp_held *esp_view_find(const struct esp_view *v, uint32_t spi, uint32_t source,
                                     uint32_t destination)
{
    if (v->n_held == 0)
        return NULL;
    for (uint32_t at = esp_view_slot(v, spi); v->by_spi[at]; at = (at + 1) & v->spi_mask) {
        const struct esp_held *h = &v->held[v->by_spi[at] - 1];
        if (h->sa->spi == spi && held_covers(v, h, source, destination))
            return h;
    }
    return NULL;
}

/* Precedence: exclude, group policy, and what is left fails closed while a VPN has no key. */
enum esp_stat esp_view_decide(const struct esp_view *v, const struct esp_flow *f,
                              struct esp_sa **ret_sa)
{
    for (size_t i = 0; i < v->n_excludes; i++) {
        if (esp_match_flow(&v->excludes[i], f))
            return ESP_OUT_EXCLUDED;
    }
    for (size_t i = 0; i < v->n_policies; i++) {
        if (!esp_match_flow(&v->policies[i].match, f))
            continue;
        if (!v->policies[i].sa)
            return ESP_OUT_FAIL_CLOSE;
        *ret_sa = v->policies[i].sa;
        return ESP_ENCRYPTED;
    }
    return v->keyless ? ESP_OUT_FAIL_CLOSE : ESP_OUT_NO_POLICY;
}

bool esp_view_covers(const struct esp_view *v, uint32_t source, uint32_t destination)
{
    for (size_t i = 0; i < v->n_policies; i++) {
        if (esp_match_addresses(&v->policies[i].match, source, destination))
            return true;
    }
    return false;
}

bool esp_view_allows(const struct esp_view *v, const struct esp_held *h, const struct esp_flow *f)
{
    for (size_t i = 0; i < h->n_matches; i++) {
        if (esp_match_flow(&v->matches[h->first_match + i], f))
            return true;
    }
    return false;
}

uint16_t esp_sa_inner_max(const struct esp_sa *sa, size_t mtu)
{
    size_t overhead = (size_t)IPV4_AND_ESP + sa->iv_len + sa->icv_len;
    size_t around = (size_t)sa->stamp_len + TRAILER; /* inside what is encrypted */
    size_t text = mtu > overhead ? (mtu - overhead) / sa->align * sa->align : 0;
    return (uint16_t)(text > around ? text - around : 0);
}
