#include "ike1/shape.h"

#include "ike1/numbers.h"

/* Vendor IDs may stand anywhere, certificates and requests for them must be accepted anywhere (RFC
 * 2408 3.9, 3.10), and status notifications ride along (RFC 2407 4.6.3). The counts are ours. */
// clang-format off
#define EXTRAS                                                                                     \
    {IKE1_PAYLOAD_VID, 0, 20}, {IKE1_PAYLOAD_N, 0, 8},                                             \
    {IKE1_PAYLOAD_CERT, 0, 8}, {IKE1_PAYLOAD_CR, 0, 8}

/* RFC 2409 5.4: phase 1 with a pre-shared key. */
static const struct chain_rule main_1[] = {{IKE1_PAYLOAD_SA, 1, 1}, EXTRAS};
static const struct chain_rule main_3[] = {
    {IKE1_PAYLOAD_KE, 1, 1}, {IKE1_PAYLOAD_NONCE, 1, 1}, EXTRAS};
static const struct chain_rule main_5[] = {
    {IKE1_PAYLOAD_ID, 1, 1}, {IKE1_PAYLOAD_HASH, 1, 1}, EXTRAS};
static const struct chain_rule aggressive_1[] = {
    {IKE1_PAYLOAD_SA, 1, 1}, {IKE1_PAYLOAD_KE, 1, 1}, {IKE1_PAYLOAD_NONCE, 1, 1},
    {IKE1_PAYLOAD_ID, 1, 1}, EXTRAS};
static const struct chain_rule aggressive_2[] = {
    {IKE1_PAYLOAD_SA, 1, 1}, {IKE1_PAYLOAD_KE, 1, 1}, {IKE1_PAYLOAD_NONCE, 1, 1},
    {IKE1_PAYLOAD_ID, 1, 1}, {IKE1_PAYLOAD_HASH, 1, 1}, EXTRAS};
static const struct chain_rule aggressive_3[] = {{IKE1_PAYLOAD_HASH, 1, 1}, EXTRAS};
/* RFC 2409 5.7. */
static const struct chain_rule informational[] = {
    {IKE1_PAYLOAD_HASH, 1, 1}, {IKE1_PAYLOAD_N, 0, 8}, {IKE1_PAYLOAD_D, 0, 8},
    {IKE1_PAYLOAD_VID, 0, 20}};
static const struct chain_rule informational_clear[] = {
    {IKE1_PAYLOAD_N, 0, 8}, {IKE1_PAYLOAD_D, 0, 8}, {IKE1_PAYLOAD_VID, 0, 20}};

#define SHAPE(name, first, rules) {name, first, true, ARRAY_LEN(rules), rules}
static const struct ike1_shape shapes[IKE1_MESSAGE_COUNT] = {
    [IKE1_MAIN_1] = SHAPE("main-1", IKE1_PAYLOAD_SA, main_1),
    [IKE1_MAIN_2] = SHAPE("main-2", IKE1_PAYLOAD_SA, main_1),
    [IKE1_MAIN_3] = SHAPE("main-3", 0, main_3),
    [IKE1_MAIN_4] = SHAPE("main-4", 0, main_3),
    [IKE1_MAIN_5] = SHAPE("main-5", 0, main_5),
    [IKE1_MAIN_6] = SHAPE("main-6", 0, main_5),
    [IKE1_AGGRESSIVE_1] = SHAPE("aggressive-1", IKE1_PAYLOAD_SA, aggressive_1),
    [IKE1_AGGRESSIVE_2] = SHAPE("aggressive-2", IKE1_PAYLOAD_SA, aggressive_2),
    [IKE1_AGGRESSIVE_3] = SHAPE("aggressive-3", 0, aggressive_3),
    [IKE1_INFORMATIONAL] = SHAPE("informational", IKE1_PAYLOAD_HASH, informational),
    [IKE1_INFORMATIONAL_CLEAR] = SHAPE("informational-clear", 0, informational_clear),
};
// clang-format on

const struct ike1_shape *ike1_shape_of(enum ike1_message m)
{
    assert((unsigned)m < IKE1_MESSAGE_COUNT);
    return &shapes[m];
}

static const struct chain_rule *rule_of(const struct ike1_shape *s, uint8_t type)
{
    for (size_t i = 0; i < s->n_rules; i++) {
        if (s->rules[i].type == type)
            return &s->rules[i];
    }
    return NULL;
}

static size_t count_of(const struct chain *c, size_t n, uint8_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += c->p[i].type == type;
    return count;
}

/* The payload type that made chain_check() say `e`. */
static uint8_t culprit(const struct ike1_shape *s, const struct chain *c, enum err e)
{
    const struct chain_rule *reached = s->rules;

    for (size_t i = 0; e != ERR_MISSING && i < c->n; i++) {
        uint8_t type = c->p[i].type;
        const struct chain_rule *rule = rule_of(s, type);
        if (!rule || (!s->any_order && rule < reached))
            return type;
        if (e == ERR_TOO_MANY && count_of(c, i + 1, type) > rule->max)
            return type;
        reached = rule;
    }
    for (size_t i = 0; i < s->n_rules; i++) {
        if (count_of(c, c->n, s->rules[i].type) < s->rules[i].min)
            return s->rules[i].type;
    }
    return 0;
}

static enum err check(const struct ike1_shape *s, const struct chain *c, uint8_t *what)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct chain_rule *rule = rule_of(s, c->p[i].type);
        if (rule && rule->max == 0) {
            *what = c->p[i].type;
            return ERR_TYPE;
        }
    }
    enum err e = chain_check(c, s->rules, s->n_rules, s->any_order);
    if (e) {
        *what = culprit(s, c, e);
        return e;
    }
    if (s->first && c->p[0].type != s->first) {
        *what = c->p[0].type;
        return ERR_ORDER;
    }
    return ERR_OK;
}

enum err ike1_shape_check(const struct ike1_shape *s, const struct chain *c, uint8_t *ret_payload)
{
    uint8_t what = 0;
    enum err e = check(s, c, &what);
    if (e && ret_payload)
        *ret_payload = what;
    return e;
}
