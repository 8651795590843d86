#pragma once
/* The keys of the rekey SA that a member holds (RFC 6407 5.3): the current one, and the one before
 * it, with which it only receives until that expires: repeats of the push that replaced it, and
 * heartbeats for those who missed it, still travel under it (decisions M5). One that has expired
 * receives for MEMBER_KEK_GRACE more: a push of the last moment is as late as its way is long, and
 * some servers push at no other moment. */
#include "base/instant.h"
#include "base/ip.h"
#include "crypto/cipher.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "gdoi/kd.h"
#include "ike1/header.h"
#include "member/limits.h"

struct kek {
    bool present;
    struct ip server; /* who gave it */
    struct ip source; /* SRC of the SAK: who pushes under it */
    struct ip group;  /* DST of the SAK when that is a multicast group, else IP_NONE */
    struct ike1_cookies cookies;
    enum cipher cipher;
    enum hash sig_hash;
    struct secret iv, key;
    size_t sig_key_len;
    uint8_t sig_key[GDOI_SIG_KEY_MAX];
    uint16_t ack;      /* KEK_ACK_REQUESTED; 0: none wanted */
    uint32_t sequence; /* the last one taken: at first that of the PULL, 0 when learnt by push */
    instant_t learned, expiry;
    uint8_t digest[MEMBER_KEY_DIGEST];
};

struct keks {
    struct kek current, previous;
    uint16_t ack; /* what the SAK that was heard last asks for (RFC 8263 7.2) */
};

/* The held one with these cookies, or NULL. */
struct kek *keks_find(struct keks *k, const struct ike1_cookies *cookies);
/* ERR_CONFLICT: its SPI is held with another key, transform or public key. */
MUST_USE enum err keks_check(const struct keks *k, const struct kek *offered);
/* A PULL is the whole truth (decisions M2), but not about what a push of the same server has
 * brought since message 1 left, at `asked`: the snapshot is older than that push if its SEQ is. An
 * offer that is not `present` tells the server only: the group has no KEK. A KEK heard again
 * neither lives longer (M3) nor accepts older pushes (RFC 6407 3.3). A
 * new KEK with a lower number is of a server that counts anew: it has lost its store, or used up
 * its numbers, and what it sent under the KEK before is of an earlier life. The offer has passed
 * keks_check(). */
void keks_pull(struct keks *k, instant_t asked, const struct kek *offered);
/* A push replaces the current one (RFC 6407 4). False: it is held already, and nothing changes. The
 * same condition. */
bool keks_push(struct keks *k, const struct kek *offered);
/* Forgets the one with these cookies and what it replaced, or all (NULL); how many. The KEK before
 * a deleted one must not bring that one back, from a push that was held back until now. */
size_t keks_delete(struct keks *k, const struct ike1_cookies *cookies);
/* What has expired is current no more, and forgotten after its grace. */
void keks_expire(struct keks *k, instant_t now);
/* When keks_expire() has something to do; NEVER when there is none. */
instant_t keks_due(const struct keks *k);
/* What the number of a push under `carrier`, which is held, has to exceed. Under the previous one
 * nothing is sent that is older than what is known under the current one, since a server counts on;
 * with one that counts anew (RFC 6407 3.2) the number of the current one is the smaller. */
uint32_t keks_floor(const struct keks *k, const struct kek *carrier);
/* The highest sequence number taken from the server of the current one, under either: a server has
 * one counter for a group (decisions M11). */
uint32_t keks_sequence(const struct keks *k);
void keks_wipe(struct keks *k);
