#pragma once
/* The captured exchange of test/vectors/gdoi-reference, opened from the secrets of its README. */
#include "crypto/cipher.h"
#include "crypto/hash.h"
#include "ike1/header.h"

enum { CAPTURE_FRAMES = 13, CAPTURE_BLOCK = 8, CAPTURE_MESSAGE_MAX = 1024 };

struct capture {
    uint8_t file[8192];
    size_t len;
    struct bytes frame[CAPTURE_FRAMES + 1]; /* UDP payloads by number, from 1 */
};
/* Fails the test when the file is not what it should be. Starts the cryptographic library. */
void capture_load(struct capture *c);

/* A value of the README's table of secrets, a view into a table of this file. */
struct bytes capture_secret(const char *name);

/* A message taken apart: the datagram with its payloads in clear, and how much padding it had. */
struct capture_message {
    uint8_t data[CAPTURE_MESSAGE_MAX];
    struct bytes datagram;
    struct ike1_header header;
    struct chain chain;
    size_t pad;
};
/* Decrypts frame n under 3DES (from `iv`; key of length 0: the frame is in clear) and reads its
 * chain; every octet is accounted for by header, chain and padding. */
void capture_open(const struct capture *c, size_t n, struct bytes key, struct bytes iv,
                  struct capture_message *ret);
/* Frame n with the key and IV that it takes: phase 1, PULL, KEK 1 or KEK 2. */
void capture_read(const struct capture *c, size_t n, struct capture_message *ret);
/* The payload of that type, which must be there. */
const struct chain_payload *capture_payload(const struct capture_message *m, uint8_t type);

extern const char CAPTURE_KEK1_IV_KEY[], CAPTURE_KEK2_IV_KEY[];
