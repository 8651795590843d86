#include "model/builder.h"

#include "conf/value.h"

#include <assert.h>
#include <string.h>

const char *build_text(struct builder *b, const char *text)
{
    return text ? arena_text(b->arena, "%s", text) : NULL;
}

struct model_where build_where(struct builder *b, const struct conf_node *n)
{
    return (struct model_where){
        .file = build_text(b, b->tree->file), .path = conf_path(b->arena, n), .line = n->pos.line};
}

struct ip build_ip(const struct conf_node *parent, const char *name)
{
    const char *text = conf_child_text(parent, name);
    struct ip ip = IP_NONE;

    if (text) {
        bool valid = ip_parse(text, &ip);
        assert(valid);
        (void)valid;
    }
    return ip;
}

struct prefix build_prefix(const struct conf_node *parent, const char *name)
{
    struct prefix prefix = {0};
    bool valid = prefix_parse(conf_child_text(parent, name), false, &prefix);

    assert(valid);
    (void)valid;
    return prefix;
}

void build_name(struct map *map, const char *name, void *object)
{
    map_put(map, bytes_str(name), object);
}

void *build_referenced(const struct map *map, const struct conf_node *parent, const char *name)
{
    void *object = map_get(map, bytes_str(conf_child_text(parent, name)));
    assert(object);
    return object;
}

/* ---- identities ---- */

static struct model_identity ipv4_identity(struct builder *b, const char *text)
{
    struct ip ip = IP_NONE;
    bool valid = ip_parse(text, &ip);

    assert(valid);
    (void)valid;
    return (struct model_identity){MODEL_ID_IPV4, arena_bytes(b->arena, bytes(ip.b, 4))};
}

struct model_identity build_identity(struct builder *b, const struct conf_node *container)
{
    static const struct {
        const char *name;
        enum model_id_type type;
    } kinds[] = {
        {"inet", MODEL_ID_IPV4},
        {"hostname", MODEL_ID_FQDN},
        {"user-at-hostname", MODEL_ID_USER_FQDN},
        {"key-id", MODEL_ID_KEY_ID},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct conf_node *n = conf_child(container, kinds[i].name);
        if (n && kinds[i].type == MODEL_ID_IPV4)
            return ipv4_identity(b, conf_text(n));
        if (n)
            return (struct model_identity){kinds[i].type,
                                           arena_bytes(b->arena, bytes_str(conf_text(n)))};
    }
    return (struct model_identity){0};
}

/* ---- IKE proposals ---- */

static struct model_ike_proposal ike_proposal(struct builder *b, const struct conf_node *n)
{
    const struct conf_choice *cipher = conf_child_choice(n, "encryption-algorithm");

    return (struct model_ike_proposal){
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .auth = (enum model_ike_auth)conf_child_choice(n, "authentication-method")->value,
        .hash = (enum model_ike_hash)conf_child_choice(n, "authentication-algorithm")->value,
        .dh_group = (uint16_t)conf_child_choice(n, "dh-group")->value,
        .cipher = (enum model_ike_cipher)cipher->value,
        .key_bits = (uint16_t)cipher->bits,
        .lifetime_s = conf_child_number(n, "lifetime-seconds"),
    };
}

static void ike_proposals(struct builder *b, const struct conf_node *ike, struct model_ike *m)
{
    size_t n = conf_count(ike, "proposal");
    struct model_ike_proposal *list = arena_alloc(b->arena, n * sizeof *list);

    m->proposals = list;
    for (const struct conf_node *p = conf_child(ike, "proposal"); p; p = conf_next(p)) {
        list[m->n_proposals] = ike_proposal(b, p);
        build_name(&b->proposals, list[m->n_proposals].name, &list[m->n_proposals]);
        m->n_proposals++;
    }
}

/* Junos's ready-made sets: cipher, key length, hash, group, in order of preference. */
static const struct {
    const char *set;
    enum model_ike_cipher cipher;
    uint16_t key_bits;
    enum model_ike_hash hash;
    uint16_t dh_group;
} ready_made[] = {
    {"basic", MODEL_IKE_DES, 0, MODEL_IKE_SHA1, 1},
    {"basic", MODEL_IKE_DES, 0, MODEL_IKE_MD5, 1},
    {"compatible", MODEL_IKE_3DES, 0, MODEL_IKE_SHA1, 2},
    {"compatible", MODEL_IKE_3DES, 0, MODEL_IKE_MD5, 2},
    {"compatible", MODEL_IKE_DES, 0, MODEL_IKE_SHA1, 2},
    {"compatible", MODEL_IKE_DES, 0, MODEL_IKE_MD5, 2},
    {"standard", MODEL_IKE_3DES, 0, MODEL_IKE_SHA1, 2},
    {"standard", MODEL_IKE_AES, 128, MODEL_IKE_SHA1, 2},
};

/* Lifetime: what the schema says for a proposal that states none. */
static uint32_t default_lifetime(const struct conf_node *policy)
{
    const struct conf_schema *proposal = conf_schema_child(policy->parent->schema, "proposal");
    const char *text = conf_schema_child(proposal, "lifetime-seconds")->dflt;
    uint32_t seconds = 0;

    return text && conf_parse_number(text, &seconds) ? seconds : 0;
}

static void proposal_set(struct builder *b, const struct conf_node *policy,
                         struct model_ike_policy *ret)
{
    const struct conf_node *set = conf_child(policy, "proposal-set");
    const struct model_ike_proposal **list =
        arena_alloc(b->arena, ARRAY_LEN(ready_made) * sizeof *list);
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(ready_made); i++) {
        if (strcmp(ready_made[i].set, conf_text(set)) != 0)
            continue;
        struct model_ike_proposal *p = arena_alloc(b->arena, sizeof *p);
        *p = (struct model_ike_proposal){
            .name = arena_text(b->arena, "%s-%zu", conf_text(set), n + 1),
            .where = build_where(b, set),
            .auth = MODEL_AUTH_PSK,
            .hash = ready_made[i].hash,
            .dh_group = ready_made[i].dh_group,
            .cipher = ready_made[i].cipher,
            .key_bits = ready_made[i].key_bits,
            .lifetime_s = default_lifetime(policy),
        };
        list[n++] = p;
    }
    ret->proposals = list;
    ret->n_proposals = n;
}

static void named_proposals(struct builder *b, const struct conf_node *names,
                            struct model_ike_policy *ret)
{
    const struct model_ike_proposal **list = arena_alloc(b->arena, names->n_values * sizeof *list);

    for (uint32_t i = 0; i < names->n_values; i++) {
        list[i] = map_get(&b->proposals, bytes_str(names->values[i].text));
        assert(list[i]);
    }
    ret->proposals = list;
    ret->n_proposals = names->n_values;
}

/* ---- IKE policies ---- */

/* The octets of a pre-shared key; empty when the policy uses a certificate. */
static struct bytes psk(struct builder *b, const struct conf_node *policy)
{
    const struct conf_node *key = conf_child(policy, "pre-shared-key");
    const struct conf_node *text = conf_child(key, "ascii-text");
    const struct conf_node *hex = conf_child(key, "hexadecimal");

    if (!text && !hex)
        return (struct bytes){0};
    const char *clear = conf_secret_clear(b->arena, conf_text(text ? text : hex));
    if (text)
        return arena_bytes(b->arena, bytes_str(clear));
    size_t len = strlen(clear) / 2;
    uint8_t *octets = arena_alloc(b->arena, len);
    bool valid = bytes_unhex(clear, octets, len, &len);
    assert(valid);
    (void)valid;
    return bytes(octets, len);
}

static struct model_ike_policy ike_policy(struct builder *b, const struct conf_node *n)
{
    struct model_ike_policy policy = {
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .mode = (enum model_ike_mode)conf_child_choice(n, "mode")->value,
        .psk = psk(b, n),
    };

    if (conf_child(n, "proposals"))
        named_proposals(b, conf_child(n, "proposals"), &policy);
    else
        proposal_set(b, n, &policy);
    return policy;
}

struct model_ike build_ike(struct builder *b, const struct conf_node *ike)
{
    struct model_ike m = {0};
    size_t n = conf_count(ike, "policy");
    struct model_ike_policy *list = arena_alloc(b->arena, n * sizeof *list);

    ike_proposals(b, ike, &m);
    m.policies = list;
    for (const struct conf_node *p = conf_child(ike, "policy"); p; p = conf_next(p)) {
        list[m.n_policies] = ike_policy(b, p);
        build_name(&b->policies, list[m.n_policies].name, &list[m.n_policies]);
        m.n_policies++;
    }
    return m;
}
