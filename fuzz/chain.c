/* Payload chains: first octet the type of the first payload, then the chain. Whatever parses must
 * come out of the writer as it went in, but for the reserved octet, which we write as zero. */
#include "wire/chain.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>

static size_t write_chain(const struct chain *c, uint8_t *out, size_t room)
{
    struct wr w = wr_of(out, room);
    wr_u8(&w, 0); /* stands for the next-payload octet of the ISAKMP header */
    struct chain_wr cw = chain_first(&w, 0);

    for (size_t i = 0; i < c->n; i++) {
        chain_open(&cw, c->p[i].type);
        wr_put(&w, c->p[i].body);
        chain_close(&cw);
    }
    if (wr_end(&w) != ERR_OK)
        abort();
    return w.len;
}

static void check_same(const struct chain *c, const uint8_t *data, const uint8_t *out)
{
    size_t at = 1;

    for (size_t i = 0; i < c->n; at += c->p[i].whole.len, i++) {
        for (size_t k = 0; k < c->p[i].whole.len; k++) {
            uint8_t want = k == 1 ? 0 : data[at + k];
            if (out[at + k] != want)
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(bytes(data, size));
    uint8_t first = rd_u8(&r);
    struct chain c;

    if (r.err || chain_parse(&r, first, &c) != ERR_OK)
        return 0;
    uint8_t *out = malloc(size);
    if (!out)
        abort();
    if (write_chain(&c, out, size) != 1 + c.len || (c.n > 0 && out[0] != first))
        abort();
    check_same(&c, data, out);
    free(out);
    return 0;
}
