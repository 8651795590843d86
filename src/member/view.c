/* What `show`, simulations and tests may see of a member. */
#include "member/member.h"
#include "member/vpn.h"

#include <assert.h>

size_t member_n_vpns(const struct member *m) { return m->n_vpns; }

static struct member_kek_view kek_view(const struct kek *k)
{
    if (!k->present)
        return (struct member_kek_view){0};
    return (struct member_kek_view){.cookies = ike1_cookies_bytes(&k->cookies),
                                    .server = k->server,
                                    .cipher = k->cipher,
                                    .sig_hash = k->sig_hash,
                                    .expiry = k->expiry,
                                    .sequence = k->sequence,
                                    .key_digest = k->digest};
}

struct member_vpn_view member_vpn(const struct member *m, size_t i)
{
    assert(i < m->n_vpns);
    const struct vpn *v = &m->vpns[i];
    return (struct member_vpn_view){
        .model = v->model,
        .state = (enum member_vpn_state)v->state,
        .state_name = vpn_state_name(v->state),
        .server = vpn_peer(v)->address,
        .registered_at = v->registered_at,
        .due = v->due[DUE_ATTEMPT],
        .last_error = v->last_error,
        .last_error_text = bytes_str(v->last_error_text),
        .counters = v->counters,
        .kek = kek_view(&v->kek),
        .n_sas = v->keys.n,
    };
}

struct member_sa_view member_sa(const struct member *m, size_t vpn, size_t i, instant_t now)
{
    assert(vpn < m->n_vpns && i < m->vpns[vpn].keys.n);
    const struct keyring *k = &m->vpns[vpn].keys;
    const struct tek *t = k->teks[i];
    return (struct member_sa_view){
        .spi = t->spi,
        .server = t->server,
        .slot = tek_slot(t, now),
        .cipher = t->cipher,
        .auth = t->auth,
        .expiry = t->expiry,
        .switch_at = t->send_at,
        .drop_at = t->drop_at,
        .selectors = t->selectors,
        .n_selectors = t->n_selectors,
        .key_digest = t->digest,
    };
}

const struct phase1_table *member_phase1(const struct member *m) { return m->phase1; }

const uint64_t *member_dropped(const struct member *m) { return m->dropped; }

const struct gdoi_tolerated *member_tolerated(const struct member *m) { return &m->tolerated; }
