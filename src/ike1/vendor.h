#pragma once
/* Vendor IDs of phase 1 (RFC 2408 3.16). Nothing authenticates them: they may only add what a plain
 * peer can do without. */
#include "base/bytes.h"

enum { IKE1_VENDOR_ID = 16 };
enum ike1_vendor { IKE1_VENDOR_OTHER, IKE1_VENDOR_CONCLAVE, IKE1_VENDOR_D3P };

/* The 16 octets that announce Conclave (the first of SHA-256 over "Conclave group VPN 1") or IP-D3P
 * (draft-weis-delay-detection-03 section 3). Static storage. */
struct bytes ike1_vendor_id(enum ike1_vendor vendor);
/* Whose a vendor ID is. */
enum ike1_vendor ike1_vendor_of(struct bytes vendor_id);
