#include "esp/stats.h"

#include <assert.h>

static const struct {
    const char *name, *meaning;
} stats[] = {
#define X(id, name, meaning) [id] = {name, meaning},
    ESP_STAT_LIST(X)
#undef X
};

const char *esp_stat_name(enum esp_stat s)
{
    assert(s < ESP_STAT_COUNT);
    return stats[s].name;
}

const char *esp_stat_meaning(enum esp_stat s)
{
    assert(s < ESP_STAT_COUNT);
    return stats[s].meaning;
}
