#pragma once
/* The one table of operational commands. The daemons dispatch by it, the console parses, completes
 * and explains by it. A command is a fixed run of words, then arguments in any order. Every word
 * may be shortened as long as it stays unique, as in Junos. */
#include "base/compiler.h"
#include "base/err.h"
#include "base/ip.h"

#include <stddef.h>

enum { CTL_WORDS_MAX = 32, CTL_ARGS_MAX = 6, CTL_CHOICES_MAX = 64, CTL_SENTENCE_MAX = 400 };

enum ctl_target { CTL_SERVER = 1, CTL_MEMBER = 2, CTL_BOTH = 3 }; /* who answers */
/* Junos's privileges: security may look, security-control may change and act. Each holds what the
 * one before holds; every command needs one, a peer may have none. */
enum ctl_class { CTL_NONE, CTL_VIEW, CTL_CONTROL, CTL_CLASS_COUNT };

/*    id, answers, class, arguments, name of the answer (Junos's), words, help */
// clang-format off
#define CTL_COMMAND_LIST(X)                                                                        \
    X(CTL_SHOW_SERVER_IKE, SERVER, VIEW, ike_of_server,                                            \
      "security-group-vpn-server-ike-security-associations-information",                           \
      "show security group-vpn server ike security-associations",                                  \
      "Show phase 1 security associations of the key server")                                      \
    X(CTL_SHOW_SERVER_IPSEC, SERVER, VIEW, by_group,                                               \
      "security-group-vpn-server-security-information",                                            \
      "show security group-vpn server ipsec security-associations",                                \
      "Show the groups' data keys")                                                                \
    X(CTL_SHOW_SERVER_KEK, SERVER, VIEW, kek_of_server,                                            \
      "security-group-vpn-server-kek-sa",                                                          \
      "show security group-vpn server kek security-associations",                                  \
      "Show the keys that protect pushes")                                                         \
    X(CTL_SHOW_SERVER_MEMBERS, SERVER, VIEW, by_group,                                             \
      "security-group-vpn-server-registered-members",                                              \
      "show security group-vpn server registered-members",                                         \
      "Show who is registered")                                                                    \
    X(CTL_SHOW_SERVER_REMOVED, SERVER, VIEW, by_group_only,                                        \
      "security-group-vpn-server-removed-members",                                                 \
      "show security group-vpn server removed-members",                                            \
      "Show who was removed and may not register")                                                 \
    X(CTL_SHOW_SERVER_STATISTICS, SERVER, VIEW, by_group_only,                                     \
      "security-group-vpn-server-stats",                                                           \
      "show security group-vpn server statistics",                                                 \
      "Show counters of registrations and pushes")                                                 \
    X(CTL_CLEAR_SERVER, SERVER, CONTROL, member_or_now,                                            \
      "clear-security-group-vpn-server",                                                           \
      "clear security group-vpn server",                                                           \
      "Have all members register again, for new keys")                                             \
    X(CTL_REQUEST_REKEY, SERVER, CONTROL, rekey_of_server,                                         \
      "request-security-group-vpn-server-rekey",                                                   \
      "request security group-vpn server rekey",                                                   \
      "Make new keys of a group now")                                                              \
    X(CTL_REQUEST_REMOVE, SERVER, CONTROL, member_or_now,                                          \
      "request-security-group-vpn-server-remove-member",                                           \
      "request security group-vpn server remove-member",                                           \
      "Shut a member out of a group, with new keys for all others")                                \
    X(CTL_REQUEST_RESTORE, SERVER, CONTROL, member_of_server,                                      \
      "request-security-group-vpn-server-restore-member",                                          \
      "request security group-vpn server restore-member",                                          \
      "Let a removed member register again")                                                       \
    X(CTL_SHOW_MEMBER_IKE, MEMBER, VIEW, by_peer,                                                  \
      "gvpn-ike-security-associations-information",                                                \
      "show security group-vpn member ike security-associations",                                  \
      "Show phase 1 security associations with key servers")                                       \
    X(CTL_SHOW_MEMBER_IPSEC, MEMBER, VIEW, by_group_id,                                            \
      "gvpn-security-associations-information",                                                    \
      "show security group-vpn member ipsec security-associations",                                \
      "Show the data keys in use")                                                                 \
    X(CTL_SHOW_MEMBER_STATISTICS, MEMBER, VIEW, none,                                              \
      "gvpn-ipsec-statistics-information",                                                         \
      "show security group-vpn member ipsec statistics",                                           \
      "Show counters of the data path")                                                            \
    X(CTL_SHOW_MEMBER_KEK, MEMBER, VIEW, by_group_id,                                              \
      "gvpn-kek-security-associations-information",                                                \
      "show security group-vpn member kek security-associations",                                  \
      "Show the keys that protect pushes")                                                         \
    X(CTL_SHOW_MEMBER_POLICY, MEMBER, VIEW, by_vpn,                                                \
      "gvpn-policy-information",                                                                   \
      "show security group-vpn member policy",                                                     \
      "Show what is protected, bypassed and dropped")                                              \
    X(CTL_CLEAR_MEMBER_GROUP, MEMBER, CONTROL, by_vpn,                                             \
      "gvpn-group-information",                                                                    \
      "clear security group-vpn member group",                                                     \
      "Register again, keeping the keys in use until new ones are there")                          \
    X(CTL_COMMIT, SERVER, CONTROL, commit,                                                         \
      "commit-results",                                                                            \
      "request security group-vpn server commit",                                                  \
      "Read the configuration file again and follow it")                                           \
    X(CTL_SHOW_CONFIGURATION, BOTH, VIEW, none,                                                    \
      "configuration-information",                                                                 \
      "show configuration security group-vpn",                                                     \
      "Show the configuration in force, without secrets")                                          \
    X(CTL_SHOW_COUNTERS, BOTH, VIEW, none,                                                         \
      "event-counters-information",                                                                \
      "show security group-vpn counters",                                                          \
      "Show how often each event happened")                                                        \
    X(CTL_SHOW_VERSION, BOTH, VIEW, none,                                                          \
      "software-information",                                                                      \
      "show version",                                                                              \
      "Show the daemons' version and since when they run")                                         \
    X(CTL_MONITOR, BOTH, VIEW, none,                                                               \
      "event-information",                                                                         \
      "monitor",                                                                                   \
      "Print events as they come, until interrupted")

/* What `?` says about the words on the way to a command. */
#define CTL_WORD_LIST(X)                                                                           \
    X("show", "Show what the daemons know")                                                        \
    X("clear", "Clear state")                                                                      \
    X("request", "Make the daemons do something")                                                  \
    X("show configuration", "Show the configuration in force")                                     \
    X("show configuration security", "Show the security configuration")                            \
    X("show security", "Show security information")                                                \
    X("clear security", "Clear security information")                                              \
    X("request security", "Security requests")                                                     \
    X("request security group-vpn", "Group VPN requests")                                          \
    X("request security group-vpn server", "Requests to the key server")                           \
    X("show security group-vpn", "Show Group VPN information")                                     \
    X("clear security group-vpn", "Clear Group VPN information")                                   \
    X("show security group-vpn server", "Show what the key server knows")                          \
    X("show security group-vpn server ike", "Show phase 1 of the key server")                      \
    X("show security group-vpn server ipsec", "Show data keys")                                    \
    X("show security group-vpn server kek", "Show push keys")                                      \
    X("show security group-vpn member", "Show what the member knows")                              \
    X("show security group-vpn member ike", "Show phase 1 of the member")                          \
    X("show security group-vpn member ipsec", "Show data keys and counters")                       \
    X("show security group-vpn member kek", "Show push keys")                                      \
    X("clear security group-vpn member", "Clear what the member holds")
// clang-format on

enum ctl_command_id {
#define X(id, target, class, args, answer, words, help) id,
    CTL_COMMAND_LIST(X)
#undef X
        CTL_COMMAND_COUNT
};

enum ctl_arg_kind { CTL_ARG_FLAG, CTL_ARG_TEXT, CTL_ARG_U32, CTL_ARG_IP };
struct ctl_arg {
    const char *word; /* NULL ends a list */
    enum ctl_arg_kind kind;
    uint8_t choice; /* arguments of one choice exclude each other */
    uint32_t min, max;
    const char *help;
};
struct ctl_command {
    enum ctl_command_id id;
    enum ctl_target target;
    enum ctl_class class;
    const struct ctl_arg *args;
    const char *answer, *words, *help;
};

/* A command with its arguments. Texts point into what it was made from. */
struct ctl_argument {
    const struct ctl_arg *arg;
    const char *text; /* as given; NULL for a flag */
    uint32_t u32;
    struct ip ip;
};
struct ctl_request {
    const struct ctl_command *command;
    size_t n;
    struct ctl_argument args[CTL_ARGS_MAX];
};

const char *ctl_class_name(enum ctl_class c); /* "none", "security", "security-control" */
const struct ctl_command *ctl_command_of(enum ctl_command_id id);
const struct ctl_command *ctl_command_by_words(const char *words); /* in full, or NULL */

/* What is wrong with a line: at which word (n_words: at its end), and a sentence. */
struct ctl_complaint {
    size_t word;
    char sentence[CTL_SENTENCE_MAX];
};
/* ERR_SYNTAX and *ret_complaint. n_words <= CTL_WORDS_MAX. */
MUST_USE enum err ctl_command_parse(const char *const *words, size_t n_words,
                                    struct ctl_request *ret_request,
                                    struct ctl_complaint *ret_complaint);
/* Adds one argument; value is NULL for a flag. ERR_SYNTAX and a sentence. */
MUST_USE enum err ctl_request_add(struct ctl_request *request, const char *word, const char *value,
                                  char sentence[CTL_SENTENCE_MAX]);

/* What may stand next: `words` are finished, `begun` is the start of the next one. */
struct ctl_choice {
    char word[64]; /* "<name>" and the like where the operator invents it */
    const char *help;
    bool literal; /* may be completed to; false for "<name>" */
};
struct ctl_choices {
    size_t n;
    bool complete; /* the line may end here */
    struct ctl_choice choice[CTL_CHOICES_MAX];
};
/* No choices at all when the finished words already make no sense. */
void ctl_command_choices(const char *const *words, size_t n_words, const char *begun,
                         struct ctl_choices *ret_choices);

/* Arguments of a request; NULL, 0 and false when not given. */
const struct ctl_argument *ctl_request_arg(const struct ctl_request *r, const char *word);
bool ctl_request_has(const struct ctl_request *r, const char *word);
const char *ctl_request_text(const struct ctl_request *r, const char *word);
uint32_t ctl_request_u32(const struct ctl_request *r, const char *word);
