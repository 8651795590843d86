#pragma once
/* AES-256-GCM (NIST SP 800-38D) for data at rest, and HKDF (RFC 5869) for its keys. Packets of the
 * data path go through crypto/packet.h. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/secret.h"

enum { AEAD_KEY = 32, AEAD_NONCE = 12, AEAD_TAG = 16 };

/* Encrypts in place. One key and nonce never serve twice. */
void aead_seal(const struct secret *key, const uint8_t nonce[AEAD_NONCE], struct bytes aad,
               uint8_t *data, size_t len, uint8_t tag[AEAD_TAG]);
/* Decrypts in place. ERR_AUTH: not what was sealed with this key, nonce and aad; data is then
 * garbage. */
MUST_USE enum err aead_open(const struct secret *key, const uint8_t nonce[AEAD_NONCE],
                            struct bytes aad, uint8_t *data, size_t len,
                            const uint8_t tag[AEAD_TAG]);

/* HKDF with HMAC-SHA-256: AEAD_KEY octets of key. */
struct secret hkdf(struct bytes secret, struct bytes salt, struct bytes info);
