#include "gdoi/id.h"

#include "ike1/numbers.h"

enum err gdoi_group_id_parse(struct bytes body, struct gdoi_group_id *ret)
{
    struct gdoi_group_id g = {0};
    struct ike1_id id;
    enum err e = ike1_id_parse(body, &id);

    if (e)
        return e;
    g.type = id.type;
    if (!(id.type == IKE1_ID_IPV4_ADDR && ike1_id_ip(&id, &g.ip)) && id.type != IKE1_ID_KEY_ID)
        return ERR_TYPE;
    if (id.protocol || id.port)
        return ERR_RESERVED;
    struct rd r = rd_of(id.data);
    g.exact = rd_u32(&r);
    g.swapped = __builtin_bswap32(g.exact);
    if (rd_end(&r))
        return ERR_LENGTH;
    *ret = g;
    return ERR_OK;
}

void gdoi_group_id_write(struct chain_wr *c, uint32_t group_id)
{
    uint8_t octets[sizeof group_id];
    struct wr w = wr_of(octets, sizeof octets);

    wr_u32(&w, group_id);
    ike1_id_write(c, &(struct ike1_id){.type = IKE1_ID_KEY_ID, .data = wr_bytes(&w)});
}

void gdoi_group_address_write(struct chain_wr *c, struct ip ip)
{
    struct ike1_id id = ike1_id_of_ip(&ip);
    assert(id.type == IKE1_ID_IPV4_ADDR);
    ike1_id_write(c, &id);
}
