#pragma once
/* What differs between two models of a key server, statement by statement. Pure: what a difference
 * means for live groups is said in server/change.h. Groups are the same when they have the same
 * group-id, which is what members ask for; all else when it has the same name: one that was renamed
 * is one that was removed and one that was added. */
#include "model/model.h"

/* What is different, and how: "ipsec-sa" (s1) "removed". */
#define MODEL_CHANGE_LIST(X)                                                                       \
    X(MODEL_IKE_PROPOSAL_CHANGED, "ike proposal", "changed")                                       \
    X(MODEL_IKE_POLICY_CHANGED, "ike policy", "changed")                                           \
    X(MODEL_GATEWAY_ADDED, "ike gateway", "added")                                                 \
    X(MODEL_GATEWAY_REMOVED, "ike gateway", "removed")                                             \
    X(MODEL_GATEWAY_CHANGED, "ike gateway", "changed")                                             \
    X(MODEL_GROUP_ADDED, "group", "added")                                                         \
    X(MODEL_GROUP_REMOVED, "group", "removed")                                                     \
    X(MODEL_GROUP_RENAMED, "group", "renamed")                                                     \
    X(MODEL_GROUP_ID_CHANGED, "group-id", "changed")                                               \
    X(MODEL_SERVER_ADDRESS_CHANGED, "server-address", "changed")                                   \
    X(MODEL_DESCRIPTION_CHANGED, "description", "changed")                                         \
    X(MODEL_MEMBER_THRESHOLD_CHANGED, "member-threshold", "changed")                               \
    X(MODEL_ATD_CHANGED, "activation-time-delay", "changed")                                       \
    X(MODEL_ANTI_REPLAY_SWITCHED, "no-anti-replay", "added or removed")                            \
    X(MODEL_WINDOW_CHANGED, "anti-replay-time-window", "changed")                                  \
    X(MODEL_LISTED, "ike-gateway", "added")                                                        \
    X(MODEL_UNLISTED, "ike-gateway", "removed")                                                    \
    X(MODEL_SA_ADDED, "ipsec-sa", "added")                                                         \
    X(MODEL_SA_REMOVED, "ipsec-sa", "removed")                                                     \
    X(MODEL_SA_PROPOSAL_CHANGED, "ipsec-sa", "has other algorithms")                               \
    X(MODEL_SA_LIFETIME_CHANGED, "ipsec-sa", "has another lifetime-seconds")                       \
    X(MODEL_POLICY_ADDED, "match-policy", "added")                                                 \
    X(MODEL_POLICY_REMOVED, "match-policy", "removed")                                             \
    X(MODEL_POLICY_CHANGED, "match-policy", "changed")                                             \
    X(MODEL_COMMUNICATION_ADDED, "server-member-communication", "added")                           \
    X(MODEL_COMMUNICATION_REMOVED, "server-member-communication", "removed")                       \
    X(MODEL_COMMUNICATION_TYPE_CHANGED, "communication-type", "changed")                           \
    X(MODEL_MULTICAST_GROUP_CHANGED, "multicast-group", "changed")                                 \
    X(MODEL_MULTICAST_INTERFACE_CHANGED, "multicast-outgoing-interface", "changed")                \
    X(MODEL_CERTIFICATE_CHANGED, "certificate", "changed")                                         \
    X(MODEL_KEK_CIPHER_CHANGED, "encryption-algorithm of the KEK", "changed")                      \
    X(MODEL_KEK_HASH_CHANGED, "sig-hash-algorithm", "changed")                                     \
    X(MODEL_KEK_LIFETIME_CHANGED, "lifetime-seconds of the KEK", "changed")                        \
    X(MODEL_HEARTBEAT_CHANGED, "heartbeat", "changed")                                             \
    X(MODEL_RETRANSMISSIONS_CHANGED, "number-of-retransmission", "changed")                        \
    X(MODEL_RETRANSMISSION_PERIOD_CHANGED, "retransmission-period", "changed")

enum model_change_kind {
#define X(id, statement, what) id,
    MODEL_CHANGE_LIST(X)
#undef X
        MODEL_CHANGE_COUNT
};
const char *model_change_statement(enum model_change_kind kind); /* "match-policy" */
const char *model_change_what(enum model_change_kind kind);      /* "removed" */

/* One difference. Texts and places belong to the models. */
struct model_change {
    const struct model_change *next;
    enum model_change_kind kind;
    const struct model_group *from, *to; /* the group it is about; `from` NULL: it is new, `to`
                                            NULL: it is gone, both: it is about no single group */
    const char *name;                    /* of the gateway, proposal, policy or ipsec-sa, or NULL */
    const char *part;                    /* of the match-policy, or NULL */
    const struct model_where *where;     /* in the new model; of what was removed, in the old one */
};

/* The differences: phase 1, groups that are gone, then the others in the order of the new model;
 * NULL: none. They live in `arena`. */
const struct model_change *model_diff(const struct model_server *from,
                                      const struct model_server *to, struct arena *arena);
/* Of one group that both have. */
const struct model_change *model_diff_group(const struct model_group *from,
                                            const struct model_group *to, struct arena *arena);

/* Whether both protect the same traffic, whatever their match-policies are called. */
bool model_ipsec_sa_same_traffic(const struct model_ipsec_sa *a, const struct model_ipsec_sa *b);
/* Whether phase 1 means the same with both: policy, proposals and keys included, names and places
 * not. */
bool model_gateway_same_phase1(const struct model_server_gateway *a,
                               const struct model_server_gateway *b);
