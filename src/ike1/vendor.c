#include "ike1/vendor.h"

#include <assert.h>

static const uint8_t conclave[IKE1_VENDOR_ID] = {
    0xf6, 0x37, 0x7c, 0xac, 0x50, 0xec, 0x84, 0x47, 0x9d, 0xe9, 0xb2, 0x1e, 0xa7, 0xd1, 0x29, 0xaf,
};
static const uint8_t d3p[IKE1_VENDOR_ID] = {
    0x11, 0x00, 0x88, 0x39, 0x7f, 0x51, 0xfe, 0x96, 0x69, 0xb9, 0x63, 0x04, 0x76, 0x35, 0x8b, 0xec,
};

struct bytes ike1_vendor_id(enum ike1_vendor vendor)
{
    assert(vendor == IKE1_VENDOR_CONCLAVE || vendor == IKE1_VENDOR_D3P);
    return vendor == IKE1_VENDOR_CONCLAVE ? BYTES_OF(conclave) : BYTES_OF(d3p);
}

enum ike1_vendor ike1_vendor_of(struct bytes vendor_id)
{
    if (bytes_equal(vendor_id, BYTES_OF(conclave)))
        return IKE1_VENDOR_CONCLAVE;
    if (bytes_equal(vendor_id, BYTES_OF(d3p)))
        return IKE1_VENDOR_D3P;
    return IKE1_VENDOR_OTHER;
}
