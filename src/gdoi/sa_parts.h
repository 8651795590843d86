#pragma once
/* Inside the codec: what stands in a SA payload, each part in its own file. */
#include "gdoi/sa.h"

/* One end of a SAK or SAT: ID type, port, length, data (RFC 6407 5.3, 5.5.1). */
struct selector {
    struct prefix prefix; /* version 0: any source, said without an address */
    uint16_t port;
};
/* `swap`: IPv4 addresses and masks are little-endian. Failures go into *r. */
struct selector selector_read(struct rd *r, bool swap);
void selector_write(struct wr *w, bool swap, struct prefix prefix, uint16_t port);

MUST_USE enum err sak_parse(struct rd *body, struct gdoi_tolerated *t, struct gdoi_sak *ret);
void sak_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_sak *sak);

MUST_USE enum err sat_parse(struct rd *body, const struct gdoi_dialect *d, struct gdoi_tolerated *t,
                            struct gdoi_sat *ret);
void sat_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_sat *sat);
