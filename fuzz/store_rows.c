/* Rows of the key server's store: an octet for the table, one for the length of the key, then key
 * and value. What is read is written and read again, the same octets each time. */
#include "fuzz/fuzz.h"
#include "server/rows.h"

#include <stdlib.h>

static uint8_t octets[2 * ROW_MAX];

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* What was written is the value that was read: there is one form only. */
static void same(const struct store_row *row, const struct wr *w)
{
    demand(wr_end(w) == ERR_OK && bytes_equal(wr_bytes(w), row->value));
}

static struct wr fresh(void) { return wr_of(octets, sizeof octets); }

static void group(const struct store_row *row, struct arena *a)
{
    struct row_group g;
    struct wr w = fresh();

    if (row_group_read(row, a, &g) != ERR_OK)
        return;
    row_group_write(&w, &g);
    same(row, &w);
}

static void tek(const struct store_row *row, struct arena *a)
{
    struct row_tek t;
    struct wr w = fresh();

    if (row_tek_read(row, a, &t) != ERR_OK)
        return;
    demand(mint_check(t.policy->proposal) == ERR_OK && t.key.len <= SECRET_MAX);
    row_tek_write(&w, &t);
    same(row, &w);
}

static void kek(const struct store_row *row, struct arena *a)
{
    struct row_kek k;
    struct wr w = fresh();

    if (row_kek_read(row, a, &k) != ERR_OK)
        return;
    demand(kek_check(k.policy) == ERR_OK && k.key.len <= SECRET_MAX && k.spi.len == KEK_SPI);
    row_kek_write(&w, &k);
    same(row, &w);
}

static void signer(const struct store_row *row, struct arena *a)
{
    struct row_signer s;
    struct wr w = fresh();

    if (row_signer_read(row, a, &s) != ERR_OK)
        return;
    row_signer_write(&w, &s);
    same(row, &w);
}

static void member(const struct store_row *row, struct arena *a)
{
    struct row_member m;
    struct wr w = fresh();

    if (row_member_read(row, a, &m) != ERR_OK)
        return;
    row_member_write(&w, &m);
    same(row, &w);
}

static void ban(const struct store_row *row)
{
    struct row_ban b;
    struct wr w = fresh();
    uint8_t key[ROW_KEY_MAX];

    if (row_ban_read(row, &b) != ERR_OK)
        return;
    row_ban_write(&w, &b);
    same(row, &w);
    demand(bytes_equal(row_key_who(&b.who, key), row->key));
}

static void server(const struct store_row *row)
{
    struct row_clock c;
    struct wr w = fresh();

    if (row_clock_read(row, &c) != ERR_OK)
        return;
    row_clock_write(&w, &c);
    same(row, &w);
}

static void read_row(const struct store_row *row, struct arena *a)
{
    switch (row->table) {
    case STORE_GROUP:
        group(row, a);
        return;
    case STORE_TEK:
        tek(row, a);
        return;
    case STORE_KEK:
        kek(row, a);
        return;
    case STORE_SIGNER:
        signer(row, a);
        return;
    case STORE_MEMBER:
        member(row, a);
        return;
    case STORE_BAN:
        ban(row);
        return;
    case STORE_SERVER:
        server(row);
        return;
    case STORE_TABLE_COUNT:
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(bytes(data, size));
    struct arena a = {0};
    struct store_row row = {.table = (enum store_table)(rd_u8(&r) % STORE_TABLE_COUNT)};

    row.key = rd_take(&r, rd_u8(&r));
    row.value = rd_rest(&r);
    if (!r.err)
        read_row(&row, &a);
    arena_free(&a);
    return 0;
}
