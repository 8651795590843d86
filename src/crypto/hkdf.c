#include "crypto/aead.h"
#include "crypto/hash.h"

#include <assert.h>

static_assert(AEAD_KEY == 32, "one block of HMAC-SHA-256 is enough");

struct secret hkdf(struct bytes secret, struct bytes salt, struct bytes info)
{
    const uint8_t first = 1; /* the number of the only block (RFC 5869 2.3) */
    SECRET prk = prf(HASH_SHA256, salt, PARTS(secret));

    return prf(HASH_SHA256, secret_bytes(&prk), PARTS(info, bytes(&first, 1)));
}
