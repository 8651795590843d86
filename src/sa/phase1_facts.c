/* What others may ask about one SA. */
#include "sa/phase1_internal.h"

#include <assert.h>

const struct phase1_peer *phase1_peer(const struct phase1_sa *sa) { return sa->peer; }

enum phase1_state phase1_state(const struct phase1_sa *sa)
{
    return sa->at == PHASE1_AT_UP ? PHASE1_STATE_UP : PHASE1_STATE_STARTING;
}

bool phase1_is_initiator(const struct phase1_sa *sa) { return sa->initiator; }
bool phase1_peer_is_native(const struct phase1_sa *sa) { return sa->native; }

bool phase1_peer_knows_stamps(const struct phase1_sa *sa) { return sa->stamps; }
struct endpoint phase1_local(const struct phase1_sa *sa) { return sa->local; }

struct endpoint phase1_remote(const struct phase1_sa *sa)
{
    return (struct endpoint){sa->ip, sa->remote_port};
}

struct bytes phase1_cookies(const struct phase1_sa *sa) { return ike1_cookies_bytes(&sa->cookies); }
instant_t phase1_expiry(const struct phase1_sa *sa) { return sa->expiry; }
const struct model_ike_proposal *phase1_proposal(const struct phase1_sa *sa)
{
    return sa->proposal;
}
enum model_ike_mode phase1_mode(const struct phase1_sa *sa) { return sa->peer->policy->mode; }
struct phase1_traffic phase1_traffic(const struct phase1_sa *sa) { return sa->traffic; }
void *phase1_user(const struct phase1_sa *sa) { return sa->user; }
void phase1_set_user(struct phase1_sa *sa, void *user) { sa->user = user; }

bool phase1_is_mode_aggressive(const struct phase1_sa *sa)
{
    return phase1_mode(sa) == MODEL_MODE_AGGRESSIVE;
}

/* Nothing but the configured identity is accepted, so there is nothing else to keep. */
struct model_identity phase1_peer_identity(const struct phase1_sa *sa)
{
    struct ike1_id id = phase1_id_remote(sa->peer, &sa->ip);
    return (struct model_identity){(enum model_id_type)id.type, id.data};
}

enum hash phase1_hash_of(const struct model_ike_proposal *p)
{
    switch (p->hash) {
    case MODEL_IKE_MD5:
        return HASH_MD5;
    case MODEL_IKE_SHA1:
        return HASH_SHA1;
    case MODEL_IKE_SHA256:
        return HASH_SHA256;
    case MODEL_IKE_SHA384:
        return HASH_SHA384;
    case MODEL_IKE_SHA512:
        return HASH_SHA512;
    default:
        assert(!"a hash that the model does not have");
        return HASH_COUNT;
    }
}

enum cipher phase1_cipher_of(const struct model_ike_proposal *p)
{
    switch (p->cipher) {
    case MODEL_IKE_DES:
        return CIPHER_DES_CBC;
    case MODEL_IKE_3DES:
        return CIPHER_3DES_CBC;
    case MODEL_IKE_AES:
        return p->key_bits == 128   ? CIPHER_AES_128_CBC
               : p->key_bits == 192 ? CIPHER_AES_192_CBC
                                    : CIPHER_AES_256_CBC;
    default:
        assert(!"a cipher that the model does not have");
        return CIPHER_COUNT;
    }
}
