#pragma once
/* Counters with one writer and readers in other threads. */
#include "esp/stats.h"

static inline void esp_count_add(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void esp_count(struct esp_stats *s, enum esp_stat which)
{
    esp_count_add(&s->n[which], 1);
}

static inline struct esp_stats esp_count_read(const struct esp_stats *s)
{
    struct esp_stats copy;
    for (int i = 0; i < ESP_STAT_COUNT; i++)
        copy.n[i] = __atomic_load_n(&s->n[i], __ATOMIC_RELAXED);
    return copy;
}
