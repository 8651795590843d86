#include "crypto/dh.h"

#include <assert.h>

/* The KE payload carries a MODP value padded to the length of the prime (RFC 2409 section 5), or x
 * | y of a point (RFC 5903 section 7). */
static const struct {
    const char *name;
    uint16_t public_len, shared_len;
} groups[] = {
    [1] = {"group1", 96, 96},     [2] = {"group2", 128, 128},   [5] = {"group5", 192, 192},
    [14] = {"group14", 256, 256}, [15] = {"group15", 384, 384}, [16] = {"group16", 512, 512},
    [19] = {"group19", 64, 32},   [20] = {"group20", 96, 48},   [21] = {"group21", 132, 66},
    [24] = {"group24", 256, 256},
};

bool dh_group_known(unsigned group) { return group < ARRAY_LEN(groups) && groups[group].name; }

size_t dh_public_len(unsigned group)
{
    assert(dh_group_known(group));
    return groups[group].public_len;
}

size_t dh_shared_len(unsigned group)
{
    assert(dh_group_known(group));
    return groups[group].shared_len;
}

const char *dh_group_name(unsigned group)
{
    assert(dh_group_known(group));
    return groups[group].name;
}
