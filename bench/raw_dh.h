#pragma once
/* What a responder's Diffie-Hellman costs with nothing but OpenSSL: a fresh key pair and the
 * agreement with a peer's public value. */
enum raw_dh_group { RAW_DH_GROUP14, RAW_DH_GROUP19 };
struct raw_dh;
struct raw_dh *raw_dh_new(enum raw_dh_group group); /* exits the program when it cannot */
/* check: OpenSSL's own test of the peer's value; 0 leaves it out, as a caller may who has tested it
 * in another way. Threads may share a struct raw_dh. */
void raw_dh_once(const struct raw_dh *d, int check);
void raw_dh_free(struct raw_dh *d);
