#include "host/address.h"

#include <assert.h>
#include <string.h>

socklen_t host_address_of(struct endpoint e, union host_address *ret)
{
    *ret = (union host_address){0};
    if (e.ip.version == 4) {
        ret->in.sin_family = AF_INET;
        ret->in.sin_port = htons(e.port);
        memcpy(&ret->in.sin_addr, e.ip.b, 4);
        return sizeof ret->in;
    }
    assert(e.ip.version == 6);
    ret->in6.sin6_family = AF_INET6;
    ret->in6.sin6_port = htons(e.port);
    memcpy(&ret->in6.sin6_addr, e.ip.b, 16);
    return sizeof ret->in6;
}

struct endpoint host_address_endpoint(const union host_address *a)
{
    struct endpoint e = {0};

    if (a->any.sa_family == AF_INET) {
        e.ip.version = 4;
        memcpy(e.ip.b, &a->in.sin_addr, 4);
        e.port = ntohs(a->in.sin_port);
    } else if (a->any.sa_family == AF_INET6) {
        e.ip.version = 6;
        memcpy(e.ip.b, &a->in6.sin6_addr, 16);
        e.port = ntohs(a->in6.sin6_port);
    }
    return e;
}
