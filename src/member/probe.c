/* Registering again because ESP of the group came under a SPI that is not held: somebody has a key
 * that was missed here, or somebody floods (decisions M6). Hence only for VPNs with
 * `recovery-probe`, and ever more patiently. */
#include "member/vpn.h"

static span_t pause_after(const struct probe *p)
{
    span_t wait = MEMBER_PROBE_FIRST;

    for (unsigned i = 0; i < p->n && wait.ns < MEMBER_PROBE_MAX.ns; i++)
        wait = span_times(wait, 2);
    return span_min(wait, MEMBER_PROBE_MAX);
}

static void probe(struct member *m, struct vpn *v, instant_t now, uint32_t spi, struct effects *out)
{
    struct probe *p = &v->probe;
    struct event e = vpn_event(v, EV_RECOVERY_PROBE);

    if (instant_reached(instant_add(p->next, MEMBER_PROBE_MAX), now))
        p->n = 0; /* it has been quiet for long */
    p->next = instant_add(now, vpn_jitter(m, pause_after(p)));
    p->n++;
    v->pushes.recovery_probes++;
    event_add_fmt(&e, "spi", "%08x", spi);
    effects_tell(out, &e);
    vpn_register_within(m, v, now, vpn_spread(v));
}

void member_unknown_spi(struct member *m, instant_t now, uint32_t spi, struct effects *out)
{
    for (size_t i = 0; i < m->n_vpns; i++) {
        struct vpn *v = &m->vpns[i];
        if (v->model->recovery_probe && v->state == MEMBER_REGISTERED &&
            instant_reached(v->probe.next, now))
            probe(m, v, now, spi, out);
    }
}
