/* Identities (RFC 2407 4.6.2). What a peer says must be what is configured: authorisation rests on
 * it (RFC 6407 3.1). */
#include "sa/phase1_internal.h"

#include <stdio.h>

static struct ike1_id of_model(const struct model_identity *m)
{
    return (struct ike1_id){.type = (uint8_t)m->type, .data = m->value};
}

struct ike1_id phase1_id_local(const struct phase1_sa *sa)
{
    const struct model_identity *stated = &sa->peer->local;
    return stated->type == MODEL_ID_NONE ? ike1_id_of_ip(&sa->local.ip) : of_model(stated);
}

/* What the peer at that address must say; a view into the peer or into *remote. */
struct ike1_id phase1_id_remote(const struct phase1_peer *peer, const struct ip *remote)
{
    return peer->remote.type == MODEL_ID_NONE ? ike1_id_of_ip(remote) : of_model(&peer->remote);
}

bool phase1_id_accepted(const struct phase1_peer *peer, struct ip remote, const struct ike1_id *id)
{
    struct ike1_id expected = phase1_id_remote(peer, &remote);
    return ike1_id_equal(&expected, id);
}

char *phase1_id_text(const struct ike1_id *id, char *out, size_t room)
{
    char text[IKE1_ID_TEXT_MAX];
    int n = snprintf(out, room, "%s %s", ike1_id_type_name(id->type),
                     ike1_id_text(id, text, sizeof text));
    (void)n; /* cut is fine: it is for people */
    return out;
}
