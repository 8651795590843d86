#pragma once
/* Endpoints as the kernel wants them. Used within host/ only. */
#include "base/ip.h"

#include <netinet/in.h>
#include <sys/socket.h>

union host_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};
/* The endpoint must have an address (asserted). Returns its length. */
socklen_t host_address_of(struct endpoint e, union host_address *ret);
/* Zeros for a family that is neither. */
struct endpoint host_address_endpoint(const union host_address *a);
