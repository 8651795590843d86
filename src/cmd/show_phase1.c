#include "cmd/names.h"
#include "cmd/show.h"
#include "host/clock.h"
#include "sa/phase1.h"

#include <assert.h>
#include <stdio.h>

enum { COOKIE = 8, IDENTITY_TEXT_MAX = 256 };

void show_put_cookies(struct ctl_wr *w, struct bytes cookies)
{
    assert(cookies.len == 2 * COOKIE);
    ctl_put_bytes(w, "initiator-cookie", bytes(cookies.data, COOKIE));
    ctl_put_bytes(w, "responder-cookie", bytes(cookies.data + COOKIE, COOKIE));
}

uint64_t show_index(struct bytes cookies)
{
    assert(cookies.len == 2 * COOKIE);
    const uint8_t *last = cookies.data + 2 * COOKIE - 3;
    return (last[0] & 0x7fU) << 16 | /* seven digits, as wide as the column */
           (uint64_t)last[1] << 8 | last[2];
}

void show_put_identity(struct ctl_wr *w, const char *name, struct model_identity id)
{
    if (id.type == MODEL_ID_IPV4 && id.value.len == 4) {
        struct ip ip = {.version = 4};
        memcpy(ip.b, id.value.data, 4);
        ctl_put_ip(w, name, ip);
    } else if (id.type != MODEL_ID_NONE) {
        ctl_put_text(w, name, id.value);
    }
}

static void put_algorithms(struct ctl_wr *w, const struct model_ike_proposal *p)
{
    char group[24];

    snprintf(group, sizeof group, "DH-group-%u", p->dh_group);
    ctl_section(w, "algorithms");
    ctl_put_str(w, "authentication", name_ike_auth(p->hash));
    ctl_put_str(w, "encryption", name_ike_cipher(p));
    ctl_put_str(w, "pseudo-random-function", name_ike_prf(p->hash));
    ctl_put_str(w, "diffie-hellman-group", group);
    ctl_end(w);
}

static void put_traffic(struct ctl_wr *w, struct phase1_traffic t)
{
    ctl_section(w, "traffic");
    ctl_put_u64(w, "input-bytes", t.in_octets);
    ctl_put_u64(w, "output-bytes", t.out_octets);
    ctl_put_u64(w, "input-packets", t.in_datagrams);
    ctl_put_u64(w, "output-packets", t.out_datagrams);
    ctl_end(w);
}

static void put_detail(struct ctl_wr *w, const struct phase1_sa *sa)
{
    const struct model_ike_proposal *proposal = phase1_proposal(sa);

    ctl_put_str(w, "role", phase1_is_initiator(sa) ? "Initiator" : "Responder");
    ctl_put_endpoint(w, "local-endpoint", phase1_local(sa));
    ctl_put_endpoint(w, "remote-endpoint", phase1_remote(sa));
    ctl_put_u64(w, "lifetime-remaining",
                (uint64_t)instant_left_floor_s(phase1_expiry(sa), host_now()));
    if (phase1_state(sa) == PHASE1_STATE_UP)
        show_put_identity(w, "peer-identity", phase1_peer_identity(sa));
    ctl_put_bool(w, "peer-native", phase1_peer_is_native(sa));
    if (proposal) {
        ctl_put_str(w, "authentication-method", name_ike_method(proposal->auth));
        put_algorithms(w, proposal);
    }
    put_traffic(w, phase1_traffic(sa));
}

static void put_sa(struct ctl_wr *w, const struct phase1_sa *sa, bool detail)
{
    const struct phase1_peer *peer = phase1_peer(sa);

    ctl_section(w, NULL);
    ctl_put_u64(w, "index", show_index(phase1_cookies(sa)));
    ctl_put_str(w, "state", phase1_state(sa) == PHASE1_STATE_UP ? "UP" : "INIT");
    show_put_cookies(w, phase1_cookies(sa));
    if (peer)
        ctl_put_str(w, "mode", phase1_mode(sa) == MODEL_MODE_MAIN ? "Main" : "Aggressive");
    ctl_put_ip(w, "remote-address", phase1_remote(sa).ip);
    if (peer)
        ctl_put_str(w, "gateway-name", peer->name);
    if (detail)
        put_detail(w, sa);
    ctl_end(w);
}

static bool is_asked_for(const struct ctl_request *r, const struct phase1_sa *sa)
{
    const struct ctl_argument *peer = ctl_request_arg(r, "peer-address");

    if (peer && !ip_equal(peer->ip, phase1_remote(sa).ip))
        return false;
    return !ctl_request_has(r, "index") ||
           show_index(phase1_cookies(sa)) == ctl_request_u32(r, "index");
}

void show_phase1(const struct phase1_table *table, const struct ctl_request *request,
                 struct show_filter filter, struct ctl_wr *reply)
{
    bool detail = ctl_request_has(request, "detail");
    size_t cursor = 0;

    ctl_list(reply, "security-association");
    for (const struct phase1_sa *sa; (sa = phase1_next(table, &cursor));) {
        if (is_asked_for(request, sa) && (!filter.wanted || filter.wanted(filter.ctx, sa)))
            put_sa(reply, sa, detail);
    }
    ctl_end(reply);
}
