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
                                    .learned = k->learned,
                                    .expiry = k->expiry,
                                    .source = k->source,
                                    .multicast_group = k->group,
                                    .ack = k->ack,
                                    .sequence = k->sequence,
                                    .key_digest = k->digest};
}

static struct member_heartbeat_view heartbeat_view(const struct vpn *v)
{
    return (struct member_heartbeat_view){.watched = heartbeat_is_watched(v),
                                          .interval_s = v->beat.interval_s,
                                          .missed = v->beat.missed,
                                          .last = v->beat.last,
                                          .next = v->due[DUE_HEARTBEAT]};
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
        .kek = kek_view(&v->keks.current),
        .previous_kek = kek_view(&v->keks.previous),
        .pushes = v->pushes,
        .heartbeat = heartbeat_view(v),
        .clock_set = v->clock.set,
        .clock_offset = v->clock.offset,
        .activation_delay_s = v->atd_s,
        .spread_s = v->spread_s,
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
        .window_ms = t->window_ms,
        .selectors = t->selectors,
        .n_selectors = t->n_selectors,
        .key_digest = t->digest,
    };
}

const struct phase1_table *member_phase1(const struct member *m) { return m->phase1; }

const uint64_t *member_dropped(const struct member *m) { return m->dropped; }

const struct gdoi_tolerated *member_tolerated(const struct member *m) { return &m->tolerated; }
