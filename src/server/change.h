#pragma once
/* What a change of the configuration does to groups that live. This is the one table: the engine
 * acts by it, `commit check` says it, doc/live-changes.md prints it. Its model is what Junos does
 * (a v2 server deletes keys where this one can change them without losing a packet).
 *
 * A group with pushes can be told of keys out of turn. Without server-member-communication members
 * come by themselves before their keys end, and only then: a key made earlier would be known to
 * nobody. So what changes keys waits for the group's next changeover. */
#include "base/arena.h"
#include "model/diff.h"

struct server;

/*    id, what `commit check` says */
#define CHANGE_EFFECT_LIST(X)                                                                      \
    X(CHANGE_NOTHING, "nothing else changes")                                                      \
    X(CHANGE_NEXT_MESSAGE, "used from the next message on")                                        \
    X(CHANGE_NEXT_TEK, "used from its next key on")                                                \
    X(CHANGE_NEXT_KEK, "used from the next KEK on")                                                \
    X(CHANGE_NEXT_CHANGEOVER, "used from the group's next key change on, in which every ipsec-sa " \
                              "takes part")                                                        \
    X(CHANGE_SA_FIRST, "first key now")                                                            \
    X(CHANGE_SA_NOW, "new key now")                                                                \
    X(CHANGE_ALL_NOW, "new keys now")                                                              \
    X(CHANGE_SA_LATER, "new key with the group's next key change")                                 \
    X(CHANGE_ALL_LATER, "new keys with the group's next key change")                               \
    X(CHANGE_SA_DELETE, "its keys are dropped, members are told to delete them")                   \
    X(CHANGE_SA_DROP, "its keys are dropped, members keep theirs until they end")                  \
    X(CHANGE_KEK_NOW, "new KEK now, pushed under the old one")                                     \
    X(CHANGE_INTERFACE, "messages leave by it from now on")                                        \
    X(CHANGE_SIGNER, "new KEK now, pushed under the old one and signed with the old key pair")     \
    X(CHANGE_KEK_FIRST, "a KEK is made, the list of members is cleared, keys stay: members get "   \
                        "the KEK with their next registration")                                    \
    X(CHANGE_KEK_DELETE, "the KEK is dropped, members are told to delete it and from then on "     \
                         "renew by registration")                                                  \
    X(CHANGE_ADDRESS,                                                                              \
      "registrations and pushes use the new address, phase 1 at the old one ends, "                \
      "new KEK now; members must list the new address")                                            \
    X(CHANGE_PHASE1, "phase 1 with its gateways ends and is made anew, keys and members stay")     \
    X(CHANGE_GATEWAY_OUT, "phase 1 with it ends")                                                  \
    X(CHANGE_MEMBER_OUT, "phase 1 with it ends, its members are removed")                          \
    X(CHANGE_GROUP_START, "keys are made")                                                         \
    X(CHANGE_GROUP_END, "members are told to delete their keys, all of the group is forgotten")    \
    X(CHANGE_GROUP_ANEW, "as a group removed and another one added")                               \
    X(CHANGE_IMPOSSIBLE, "-")

enum change_effect {
#define X(id, what) id,
    CHANGE_EFFECT_LIST(X)
#undef X
        CHANGE_EFFECT_COUNT
};
const char *change_effect_text(enum change_effect effect);

/*    kind, with pushes, without, why */
#define CHANGE_LIST(X)                                                                             \
    X(IKE_PROPOSAL_CHANGED, PHASE1, PHASE1,                                                        \
      "members authenticate again under what is written now")                                      \
    X(IKE_POLICY_CHANGED, PHASE1, PHASE1, "so that a key that was withdrawn opens nothing")        \
    X(GATEWAY_ADDED, NOTHING, NOTHING, "it may register where a group lists it")                   \
    X(GATEWAY_REMOVED, GATEWAY_OUT, GATEWAY_OUT, "for its members see ike-gateway below")          \
    X(GATEWAY_CHANGED, PHASE1, PHASE1, "members authenticate again under what is written now")     \
    X(GROUP_ADDED, GROUP_START, GROUP_START, "")                                                   \
    X(GROUP_REMOVED, GROUP_END, GROUP_END,                                                         \
      "without pushes nobody can be told: members keep their keys until they end")                 \
    X(GROUP_RENAMED, NOTHING, NOTHING, "its group-id is what members ask for")                     \
    X(GROUP_ID_CHANGED, GROUP_ANEW, GROUP_ANEW, "members ask for the number: it is another group") \
    X(SERVER_ADDRESS_CHANGED, ADDRESS, ADDRESS,                                                    \
      "members take pushes from the server of their KEK and from servers that they list")          \
    X(DESCRIPTION_CHANGED, NOTHING, NOTHING, "")                                                   \
    X(MEMBER_THRESHOLD_CHANGED, NOTHING, NOTHING,                                                  \
      "who is registered stays, whoever comes is counted")                                         \
    X(ATD_CHANGED, NEXT_CHANGEOVER, NEXT_CHANGEOVER,                                               \
      "members count from the delay that they were told of their present keys")                    \
    X(ANTI_REPLAY_SWITCHED, ALL_NOW, ALL_LATER, "a key is stamped for all of its life or never")   \
    X(WINDOW_CHANGED, ALL_NOW, ALL_LATER, "the window belongs to the keys")                        \
    X(LISTED, NOTHING, NOTHING, "it may register")                                                 \
    X(UNLISTED, MEMBER_OUT, MEMBER_OUT,                                                            \
      "without pushes nobody can be told: it keeps its keys until they end")                       \
    X(SA_ADDED, SA_FIRST, SA_LATER, "")                                                            \
    X(SA_REMOVED, SA_DELETE, SA_DROP, "what it protected is no longer protected")                  \
    X(SA_PROPOSAL_CHANGED, NEXT_TEK, NEXT_TEK, "to use it at once: rekey the group")               \
    X(SA_LIFETIME_CHANGED, NEXT_TEK, NEXT_TEK, "to use it at once: rekey the group")               \
    X(POLICY_ADDED, SA_NOW, SA_LATER, "policies belong to the key")                                \
    X(POLICY_REMOVED, SA_NOW, SA_LATER, "policies belong to the key")                              \
    X(POLICY_CHANGED, SA_NOW, SA_LATER, "policies belong to the key")                              \
    X(COMMUNICATION_ADDED, KEK_FIRST, KEK_FIRST, "without a KEK nobody could read a push")         \
    X(COMMUNICATION_REMOVED, KEK_DELETE, KEK_DELETE, "")                                           \
    X(COMMUNICATION_TYPE_CHANGED, KEK_NOW, IMPOSSIBLE, "where pushes go to is told with the KEK")  \
    X(MULTICAST_GROUP_CHANGED, KEK_NOW, IMPOSSIBLE, "where pushes go to is told with the KEK")     \
    X(MULTICAST_INTERFACE_CHANGED, INTERFACE, IMPOSSIBLE, "no business of the members")            \
    X(CERTIFICATE_CHANGED, SIGNER, IMPOSSIBLE, "the key pair belongs to the KEK")                  \
    X(KEK_CIPHER_CHANGED, NEXT_KEK, IMPOSSIBLE, "to use it at once: rekey the group")              \
    X(KEK_HASH_CHANGED, NEXT_KEK, IMPOSSIBLE, "to use it at once: rekey the group")                \
    X(KEK_LIFETIME_CHANGED, NEXT_KEK, IMPOSSIBLE, "to use it at once: rekey the group")            \
    X(HEARTBEAT_CHANGED, NEXT_MESSAGE, IMPOSSIBLE, "a heartbeat tells the interval")               \
    X(RETRANSMISSIONS_CHANGED, NEXT_MESSAGE, IMPOSSIBLE, "")                                       \
    X(RETRANSMISSION_PERIOD_CHANGED, NEXT_MESSAGE, IMPOSSIBLE, "")

struct change_row {
    enum change_effect with_pushes, without;
    const char *why; /* "": nothing to explain */
};
const struct change_row *change_row_of(enum model_change_kind kind);
/* What that change means: its group had and has pushes, or not. */
enum change_effect change_effect_of(const struct model_change *change);

/* One line for each difference, as `commit check` prints them: "group g1: ipsec-sa s1:
 * match-policy p2 changed: new key now, members use it in 30 s". */
enum { CHANGE_LINES_MAX = 200 }; /* the line after the last says how many more there are */
struct change_lines {
    size_t n;
    const char *line[CHANGE_LINES_MAX + 1];
};
const char *change_line(const struct model_change *change, struct arena *arena);
struct change_lines *change_lines(const struct model_server *from, const struct model_server *to,
                                  struct arena *arena);
/* Adds whom the change shuts out: registered members of groups that get time stamps, and that have
 * not announced Conclave (decisions M20). */
void change_excluded(const struct server *s, const struct model_server *to, struct arena *arena,
                     struct change_lines *lines);
