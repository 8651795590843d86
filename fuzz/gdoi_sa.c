/* The SA payload of GDOI. The first octet is the dialect, the rest a body: whatever is read is
 * written, read again and written again to the same octets, and policies of one SPI agree. */
#include "fuzz/fuzz.h"
#include "gdoi/sa.h"

#include <stdlib.h>

enum { ROOM = 1 << 17 };

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static struct gdoi_dialect dialect_of(uint8_t bits)
{
    bool d3p = bits & 0x20;
    return (struct gdoi_dialect){
        .no_gap = bits & 0x01,
        .no_ack = bits & 0x02,
        .sak_pad6 = bits & 0x04,
        .tv_lifetime = bits & 0x08,
        .host_order_selectors = bits & 0x10,
        .d3p_type_number = d3p ? GDOI_D3P_TYPE_NUMBER : 0,
        .d3p_window_number = d3p ? GDOI_D3P_WINDOW_NUMBER : 0,
    };
}

static struct bytes write(const struct gdoi_dialect *d, const struct gdoi_sa *sa, uint8_t *out)
{
    const size_t head = 1 + CHAIN_HEADER;
    struct wr w = wr_of(out, ROOM);

    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_sa_write(&c, d, sa);
    if (wr_end(&w) == ERR_LENGTH) /* short selectors became long ones, beyond a payload's length */
        return bytes(NULL, 0);
    demand(wr_end(&w) == ERR_OK);
    return bytes(out + head, w.len - head);
}

static void check_policies(const struct gdoi_sa *sa)
{
    demand(sa->n_sats <= GDOI_SATS_MAX && (sa->has_sak || sa->n_sats > 0));
    for (size_t i = 0; i < sa->n_sats; i++) {
        const struct gdoi_sat *s = &sa->sats[i];
        demand(s->spi >= GDOI_SPI_MIN && s->src.ip.version == s->dst.ip.version);
        for (size_t k = 0; k < i; k++)
            demand(sa->sats[k].spi != s->spi || gdoi_sat_same_sa(&sa->sats[k], s));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t first[ROOM], second[ROOM];
    static struct gdoi_sa sa;
    struct gdoi_tolerated t = {0};

    if (size == 0)
        return 0;
    const struct gdoi_dialect d = dialect_of(data[0]);
    if (gdoi_sa_parse(bytes(data + 1, size - 1), &d, &t, &sa) != ERR_OK)
        return 0;
    check_policies(&sa);
    struct bytes once = write(&d, &sa, first);
    if (once.len == 0)
        return 0;
    demand(gdoi_sa_parse(once, &d, &t, &sa) == ERR_OK);
    demand(bytes_equal(once, write(&d, &sa, second)));
    return 0;
}
