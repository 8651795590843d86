#pragma once
/* Events, not prose: engines report facts by id with keys and values; the host formats them (text,
 * JSON, syslog), counts them and limits their rate. Every event names its object (peer, group,
 * gateway, SPI). Never put a secret into one. */
#include "base/bytes.h"
#include "base/err.h"
#include "base/ip.h"

enum event_level { EVENT_DEBUG, EVENT_INFO, EVENT_NOTICE, EVENT_WARNING, EVENT_ERROR };

/*    id                       name                       level    meaning */
#define EVENT_LIST(X)                                                                              \
    X(EV_STARTED, "started", NOTICE, "the program is ready")                                       \
    X(EV_STOPPED, "stopped", NOTICE, "the program ends")                                           \
    X(EV_DATAGRAM_DROPPED, "datagram-dropped", INFO, "a datagram was dropped")                     \
    X(EV_TOLERATED, "tolerated", INFO, "a deviation from the standard was accepted")               \
    X(EV_PHASE1_UP, "phase1-up", INFO, "phase 1 is established")                                   \
    X(EV_PHASE1_FAILED, "phase1-failed", WARNING, "phase 1 failed")                                \
    X(EV_PHASE1_SUSPECT, "phase1-suspect", WARNING,                                                \
      "a phase 1 message did not authenticate: wrong pre-shared key, or forged")                   \
    X(EV_PHASE1_DOWN, "phase1-down", INFO, "a phase 1 SA has ended")                               \
    X(EV_NOTIFY_SENT, "notify-sent", INFO, "a notification was sent")                              \
    X(EV_NOTIFY_RECEIVED, "notify-received", NOTICE, "the peer sent a notification")               \
    X(EV_MEMBER_REGISTERED, "member-registered", NOTICE, "a member registered")                    \
    X(EV_MEMBER_REFUSED, "member-refused", WARNING, "a member was refused")                        \
    X(EV_MEMBER_REMOVED, "member-removed", NOTICE, "a member was removed from the list")           \
    X(EV_MEMBER_CLEARED, "member-cleared", NOTICE, "a registration was forgotten")                 \
    X(EV_OPERATOR, "operator", NOTICE, "the operator asked for new keys")                          \
    X(EV_BAN_LIFTED, "ban-lifted", NOTICE, "a removed member may register again")                  \
    X(EV_PULL_ABORTED, "pull-aborted", WARNING, "a registration did not complete")                 \
    X(EV_GENERATION_CREATED, "generation-created", NOTICE, "a new key generation exists")          \
    X(EV_GENERATION_SWITCHED, "generation-switched", INFO, "a generation became current")          \
    X(EV_GENERATION_DROPPED, "generation-dropped", INFO, "a generation was forgotten")             \
    X(EV_KEK_CREATED, "kek-created", NOTICE, "a new key for pushes exists")                        \
    X(EV_KEK_DROPPED, "kek-dropped", INFO, "a key for pushes was forgotten")                       \
    X(EV_RESTORED, "restored", NOTICE, "what an earlier server kept is in use again")              \
    X(EV_NOT_RESTORED, "not-restored", NOTICE, "something that was kept is not used again")        \
    X(EV_STORE_OLD, "store-old", ERROR,                                                            \
      "the database is an older copy: its keys are not used again, members have to register")      \
    X(EV_STORE, "store", ERROR, "the store on the disk")                                           \
    X(EV_STORE_AGAIN, "store-again", NOTICE, "the store on the disk works again")                  \
    X(EV_CLOCK_LOST, "clock-lost", ERROR,                                                          \
      "the clocks went back while the server was away: every group gets new keys")                 \
    X(EV_PUSH_SENT, "push-sent", INFO, "a rekey message left")                                     \
    X(EV_PUSH_FAILED, "push-failed", ERROR, "a rekey message could not be sent")                   \
    X(EV_PUSH_SIZE, "push-size", WARNING,                                                          \
      "a rekey message is larger than a path of 1500 octets carries: it travels in fragments")     \
    X(EV_SEQ_NEAR_END, "seq-near-end", WARNING,                                                    \
      "a group will use up the numbers of its rekey messages: restart the server after that")      \
    X(EV_SEQ_END, "seq-end", ERROR,                                                                \
      "a group has used up the numbers of its rekey messages and sends none: restart the server")  \
    X(EV_MEMBER_STRUCK, "member-struck", WARNING,                                                  \
      "a member gets no more rekey messages until it registers again")                             \
    X(EV_MEMBER_REINSTATED, "member-reinstated", NOTICE,                                           \
      "a member that was struck has acknowledged after all")                                       \
    X(EV_ACK_FORGED, "ack-forged", WARNING, "an acknowledgement did not authenticate")             \
    X(EV_STORE_FAILED, "store-failed", ERROR, "something could not be stored")                     \
    X(EV_SIGNING_KEY, "signing-key", NOTICE, "the key that signs pushes")                          \
    X(EV_CERTIFICATE, "certificate", WARNING,                                                      \
      "a certificate is out of date: its key is used, but commits are refused")                    \
    X(EV_REGISTERED, "registered", NOTICE, "registered with the server")                           \
    X(EV_REGISTRATION_FAILED, "registration-failed", WARNING, "a registration failed")             \
    X(EV_SERVER_FAILOVER, "server-failover", WARNING, "trying the next server of the list")        \
    X(EV_POLICY_REJECTED, "policy-rejected", WARNING, "a downloaded policy was not installed")     \
    X(EV_KEYS_EXPIRED, "keys-expired", ERROR,                                                      \
      "a key ended without a successor: what it protected is dropped")                             \
    X(EV_MULTICAST_LOST, "multicast-lost", WARNING,                                                \
      "an interface carries a multicast group no more, or not yet")                                \
    X(EV_MULTICAST_READY, "multicast-ready", NOTICE, "an interface carries a multicast group")     \
    X(EV_REKEYED, "rekeyed", NOTICE, "a push of the server has changed the keys")                  \
    X(EV_PUSH_REFUSED, "push-refused", WARNING, "a push of the server could not be followed")      \
    X(EV_KEY_CONFLICT, "key-conflict", ERROR,                                                      \
      "the server gave another key under an SPI that is held")                                     \
    X(EV_HEARTBEAT_MISSED, "heartbeat-missed", WARNING, "a heartbeat of the server did not come")  \
    X(EV_STATE_DIFFERS, "state-differs", NOTICE, "a heartbeat asks to register again")             \
    X(EV_UNKNOWN_SPI, "unknown-spi", WARNING,                                                      \
      "ESP came under a key that is not held: its sender, or this member, missed a key change")    \
    X(EV_RECOVERY_PROBE, "recovery-probe", NOTICE,                                                 \
      "ESP came under an unknown SPI: registering again")                                          \
    X(EV_GROUP_CLOCK, "group-clock", WARNING, "the group clock is far from the calendar")          \
    X(EV_LIMIT, "limit", WARNING, "a limit was reached")                                           \
    X(EV_CONFIG, "config", NOTICE, "configuration")                                                \
    X(EV_COMMIT, "commit", NOTICE, "the configuration of a running program changed")               \
    X(EV_COMMIT_FAILED, "commit-failed", ERROR, "a configuration was not taken over")              \
    X(EV_CONTROL, "control", INFO, "control socket")                                               \
    X(EV_DENIED, "denied", WARNING, "a command was refused: its user has not the privilege")       \
    X(EV_DATA_PATH, "data-path", WARNING, "data path")                                             \
    X(EV_SUPPRESSED, "suppressed", NOTICE, "lines that the log's rate limit kept back")            \
    X(EV_INTERNAL, "internal", ERROR, "this machine")

enum event_id {
#define X(id, name, level, meaning) id,
    EVENT_LIST(X)
#undef X
        EVENT_COUNT
};

enum { EVENT_FIELDS_MAX = 12, EVENT_TEXT_MAX = 384 };

enum event_kind { EVENT_U64, EVENT_TEXT, EVENT_HEX };
struct event_field {
    const char *key; /* static */
    enum event_kind kind;
    uint64_t u64;
    uint16_t at, len; /* EVENT_TEXT, EVENT_HEX: in event.text */
};
struct event {
    enum event_id id;
    uint8_t n_fields;
    uint16_t used;
    struct event_field fields[EVENT_FIELDS_MAX];
    uint8_t text[EVENT_TEXT_MAX];
};

const char *event_name(enum event_id id);
const char *event_meaning(enum event_id id);
enum event_level event_level(enum event_id id);
const char *event_level_name(enum event_level level);

/* Builders. Keys are static strings. Text is cut when the event is full; a field too many is
 * dropped. */
struct event event_of(enum event_id id);
void event_add_u64(struct event *e, const char *key, uint64_t value);
void event_add_text(struct event *e, const char *key, struct bytes text);
void event_add_str(struct event *e, const char *key, const char *text); /* NULL: no field */
void event_add_fmt(struct event *e, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);
void event_add_hex(struct event *e, const char *key, struct bytes value);
void event_add_ip(struct event *e, const char *key, struct ip ip);
void event_add_endpoint(struct event *e, const char *key, struct endpoint ep);
/* "error" with the identifier and "reason" with the sentence of base/err.h. */
void event_add_err(struct event *e, enum err err);

/* The field of that key as text, or an empty view. */
struct bytes event_find_text(const struct event *e, const char *key);
/* One line without newline: name key=value ...; text from a peer is quoted and escaped. Returns
 * out. */
char *event_line(const struct event *e, char *out, size_t room);
