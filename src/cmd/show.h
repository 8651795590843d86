#pragma once
/* Answers to the console, made from what the engines know: values only, their layout is cli/'s. */
#include "base/instant.h"
#include "ctl/session.h"
#include "model/model.h"
#include "sa/effects.h"

struct commit;
struct daemon;
struct data_path;
struct group;
struct keeper;
struct member;
struct options;
struct phase1_sa;
struct phase1_table;
struct server;

/* What the handlers of a daemon know: the ctx of its service. */
struct show {
    struct daemon *daemon;
    const char *statement; /* what it runs by, without secrets; changes with n_statements */
    uint32_t n_statements;
    struct server *server;         /* conclaved */
    struct keeper *keeper;         /* conclaved */
    struct commit *commit;         /* conclaved */
    struct ctl_wait wait;          /* conclaved: what the command at hand gave to the store */
    struct member *member;         /* conclave-member */
    struct data_path *data;        /* conclave-member; NULL: no data path */
    const struct options *options; /* conclave-member */
    uint16_t server_port;          /* conclave-member */
    instant_t probe_at;    /* conclave-member: when to look for unknown SPIs; NEVER: not at all */
    instant_t check_at;    /* ... and whether guard and routes stand */
    bool is_broken;        /* ... they do not, and it has been told */
    instant_t unknown_at;  /* ... not to be told of before */
    uint64_t unknown_seen; /* ... how many there were at the last look */
    struct effects first;  /* of the engine's making, until the program is confined */
};
void show_configuration_handler(struct ctl_service *service); /* of both daemons */
void show_server_handlers(struct ctl_service *service);
void show_members_handlers(struct ctl_service *service);   /* part of it: the members of groups */
void operate_server_handlers(struct ctl_service *service); /* part of it: what changes groups */
void show_member_handlers(struct ctl_service *service);

/* Of the server: whether the request (its group or group-id, if any) is about that group;
 * ERR_NOT_FOUND and a sentence when it names none that is there; "group-name" and "group-id"; the
 * list "group" with a section for each that is asked for, filled by put(). */
typedef void show_put(const struct show *s, struct ctl_wr *w, const struct group *g, bool detail);
bool show_group_asked(const struct ctl_request *r, const struct model_group *g);
MUST_USE enum err show_groups_check(const struct server *s, const struct ctl_request *r,
                                    char sentence[CTL_SENTENCE_MAX]);
void show_put_group(struct ctl_wr *w, const struct group *g);
MUST_USE enum err show_put_groups(const struct show *s, const struct ctl_request *r,
                                  struct ctl_wr *w, show_put *put, char sentence[CTL_SENTENCE_MAX]);
/* An address or a name; nothing for none. */
void show_put_identity(struct ctl_wr *w, const char *name, struct model_identity id);

/* Phase 1 SAs that the request asks for; of them those that `wanted` admits (NULL: all). */
struct show_filter {
    bool (*wanted)(const void *ctx, const struct phase1_sa *sa);
    const void *ctx;
};
void show_phase1(const struct phase1_table *table, const struct ctl_request *request,
                 struct show_filter filter, struct ctl_wr *reply);
/* "initiator-cookie" and "responder-cookie" of 16 octets, and the number that operators may call
 * the SA by: the last 23 bits of the cookies. */
void show_put_cookies(struct ctl_wr *w, struct bytes cookies);
uint64_t show_index(struct bytes cookies);
