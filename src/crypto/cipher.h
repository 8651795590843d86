#pragma once
/* Block ciphers in CBC for control messages. Packets of the data path go through crypto/packet.h.
 * */
#include "base/bytes.h"

enum cipher {
    CIPHER_NULL,
    CIPHER_DES_CBC,
    CIPHER_3DES_CBC,
    CIPHER_AES_128_CBC,
    CIPHER_AES_192_CBC,
    CIPHER_AES_256_CBC,
    CIPHER_AES_128_GCM, /* 16-octet ICV; the key is followed by a 4-octet salt (RFC 4106) */
    CIPHER_AES_192_GCM,
    CIPHER_AES_256_GCM,
    CIPHER_COUNT
};
enum { CIPHER_BLOCK_MAX = 16, CIPHER_KEY_MAX = 36 };

size_t cipher_key_len(enum cipher c); /* octets, the salt of GCM included */
size_t cipher_block(enum cipher c);   /* 8 or 16; 1 for NULL; 16 for GCM */
size_t cipher_iv_len(enum cipher c);  /* on the wire: the block for CBC, 8 for GCM, 0 for NULL */
bool cipher_is_counter_mode(enum cipher c);
const char *cipher_name(enum cipher c); /* "aes-256-cbc" ... as Junos writes it */

/* CBC in place over whole blocks. `iv` (one block) is read and left holding the last ciphertext
 * block, which is the next IV of IKEv1 (RFC 2409 appendix B). len must be a multiple of the block
 * (asserted). */
void cbc_encrypt(enum cipher c, struct bytes key, uint8_t *iv, uint8_t *data, size_t len);
void cbc_decrypt(enum cipher c, struct bytes key, uint8_t *iv, uint8_t *data, size_t len);

/* Odd parity for DES keys, and false for the weak and semi-weak keys of RFC 2409 appendix A. */
void des_set_parity(uint8_t *key, size_t len);
bool des_key_is_weak(struct bytes key);
