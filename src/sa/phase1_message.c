/* Writing and reading the messages of phase 1. */
#include "sa/phase1_internal.h"

#include "ike1/vendor.h"

#include <assert.h>

struct bytes phase1_body(const struct chain *chain, uint8_t type)
{
    const struct chain_payload *p = chain_find(chain, type);
    assert(p);
    return p->body;
}

struct chain_wr phase1_begin(const struct phase1_sa *sa, struct wr *w, uint8_t flags)
{
    struct ike1_header h = {
        .cookies = sa->cookies,
        .exchange = phase1_is_mode_aggressive(sa) ? IKE1_EXCHANGE_AGGRESSIVE : IKE1_EXCHANGE_MAIN,
        .flags = flags,
    };
    return ike1_header_write(w, &h);
}

/* Our offer, first in the message, and kept as SAi_b. */
void phase1_put_offer(struct phase1_sa *sa, struct chain_wr *c)
{
    size_t from = c->w->len + CHAIN_HEADER;
    phase1_offer(sa->peer->policy, c);
    assert(wr_end(c->w) == ERR_OK);
    phase1_blob_set(&sa->hs->sa_body, bytes(c->w->data + from, c->w->len - from));
}

/* KE and nonce of our side. */
void phase1_put_ke(const struct phase1_sa *sa, struct chain_wr *c)
{
    const struct phase1_handshake *hs = sa->hs;
    const struct phase1_blob *public = sa->initiator ? &hs->public_i : &hs->public_r;
    const struct phase1_blob *nonce = sa->initiator ? &hs->nonce_i : &hs->nonce_r;

    ike1_data_write(c, IKE1_PAYLOAD_KE, phase1_blob_bytes(public));
    ike1_data_write(c, IKE1_PAYLOAD_NONCE, phase1_blob_bytes(nonce));
}

void phase1_put_id(const struct phase1_sa *sa, struct chain_wr *c)
{
    struct ike1_id id = phase1_id_local(sa);
    ike1_id_write(c, &id);
}

void phase1_put_hash(const struct phase1_sa *sa, struct chain_wr *c)
{
    uint8_t body[CHAIN_HEADER + IKE1_ID_DATA_MAX];
    struct wr w = wr_of(body, sizeof body);
    struct ike1_id id = phase1_id_local(sa);

    ike1_id_write_body(&w, &id);
    assert(wr_end(&w) == ERR_OK);
    SECRET hash = phase1_auth_hash(sa, sa->initiator, wr_bytes(&w));
    ike1_data_write(c, IKE1_PAYLOAD_HASH, secret_bytes(&hash));
}

/* Ours, and as a server that of IP-D3P: "the GDOI KS will include a vendor ID payload"
 * (draft-weis-delay-detection-03 4.1). */
void phase1_put_vendor_ids(const struct phase1_sa *sa, struct chain_wr *c)
{
    ike1_data_write(c, IKE1_PAYLOAD_VID, ike1_vendor_id(IKE1_VENDOR_CONCLAVE));
    if (!sa->initiator)
        ike1_data_write(c, IKE1_PAYLOAD_VID, ike1_vendor_id(IKE1_VENDOR_D3P));
}

static bool announces(const struct chain *chain, enum ike1_vendor vendor)
{
    for (size_t i = 0; i < chain->n; i++) {
        if (chain->p[i].type == IKE1_PAYLOAD_VID && ike1_vendor_of(chain->p[i].body) == vendor)
            return true;
    }
    return false;
}

void phase1_take_vendor_ids(struct phase1_sa *sa, const struct chain *chain)
{
    sa->native = announces(chain, IKE1_VENDOR_CONCLAVE);
    sa->stamps = sa->native || announces(chain, IKE1_VENDOR_D3P);
}

/* RFC 2407 4.6.3.3, when no other SA with this peer is alive. */
void phase1_put_initial_contact(const struct phase1_table *t, const struct phase1_sa *sa,
                                struct chain_wr *c)
{
    if (!phase1_is_alone(t, sa))
        return;
    struct ike1_notify n = {.doi = IKE1_DOI_IPSEC,
                            .protocol = IKE1_PROTOCOL_ISAKMP,
                            .type = IKE1_NOTIFY_INITIAL_CONTACT,
                            .spi = ike1_cookies_bytes(&sa->cookies)};
    ike1_notify_write(c, &n);
}

/* The notification is encrypted, not authenticated: its cookies must be those of this SA. */
bool phase1_chain_is_initial(const struct phase1_sa *sa, const struct chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        struct ike1_notify n;
        if (chain->p[i].type == IKE1_PAYLOAD_N &&
            ike1_notify_parse(chain->p[i].body, &n) == ERR_OK &&
            n.type == IKE1_NOTIFY_INITIAL_CONTACT &&
            bytes_equal(n.spi, ike1_cookies_bytes(&sa->cookies)))
            return true;
    }
    return false;
}

static void send(struct phase1_call *c, struct phase1_sa *sa)
{
    struct bytes datagram = phase1_blob_bytes(&sa->hs->sent);
    c->t->counters.sent++;
    exchange_send(sa, datagram, c->out);
}

void phase1_finish(struct phase1_call *c, struct phase1_sa *sa, struct wr *w)
{
    ike1_message_end(w);
    assert(wr_end(w) == ERR_OK);
    phase1_blob_set(&sa->hs->sent, wr_bytes(w));
    send(c, sa);
}

void phase1_finish_sealed(struct phase1_call *c, struct phase1_sa *sa, struct wr *w)
{
    enum cipher cipher = phase1_cipher_of(sa->proposal);

    ike1_message_pad(w, cipher_block(cipher));
    assert(wr_end(w) == ERR_OK);
    cbc_encrypt(cipher, phase1_cipher_key(sa), sa->iv, w->data + IKE1_HEADER, w->len - IKE1_HEADER);
    phase1_blob_set(&sa->hs->sent, wr_bytes(w));
    send(c, sa);
}

void phase1_send_again(struct phase1_call *c, struct phase1_sa *sa)
{
    c->t->counters.retransmitted++;
    send(c, sa);
}

/* In place. What comes of wrong keys is noise, which the chain's reader refuses. */
enum err phase1_decrypt(const struct phase1_sa *sa, uint8_t iv[CIPHER_BLOCK_MAX], uint8_t first,
                        uint8_t *datagram, size_t len, struct chain *ret)
{
    enum cipher cipher = phase1_cipher_of(sa->proposal);
    size_t block = cipher_block(cipher);

    if (len <= IKE1_HEADER || (len - IKE1_HEADER) % block != 0)
        return ERR_LENGTH;
    cbc_decrypt(cipher, phase1_cipher_key(sa), iv, datagram + IKE1_HEADER, len - IKE1_HEADER);
    return ike1_payloads_parse(bytes(datagram, len), first, block, ret);
}

/* The peer's KE (RFC 2409 5: exactly as long as its group says) and nonce. Nothing is kept of a bad
 * pair. */
enum err phase1_take_ke(struct phase1_sa *sa, const struct chain *chain, bool of_initiator)
{
    struct phase1_handshake *hs = sa->hs;
    struct bytes public, nonce;
    enum err e = ike1_data_parse(IKE1_PAYLOAD_KE, phase1_body(chain, IKE1_PAYLOAD_KE), &public);
    if (e == ERR_OK && public.len != dh_public_len(sa->proposal->dh_group))
        e = ERR_LENGTH;
    if (e == ERR_OK)
        e = ike1_data_parse(IKE1_PAYLOAD_NONCE, phase1_body(chain, IKE1_PAYLOAD_NONCE), &nonce);
    if (e)
        return e;
    phase1_blob_set(of_initiator ? &hs->public_i : &hs->public_r, public);
    phase1_blob_set(of_initiator ? &hs->nonce_i : &hs->nonce_r, nonce);
    return ERR_OK;
}
