#pragma once
/* The laws for what the server pushes, checked at the moment it leaves (design: "Proof"):
 *
 *   opens       what the server pushes opens with a KEK that it has told of
 *   durable     every key in it was stored before
 *   one SEQ     one SEQ under one KEK means one content, before and after a restart
 *   grows       SEQ strictly grows from content to content, for each member and KEK
 *   removed     keys are never sent to a member after it was removed
 *
 * The laws for members stand in check.h and check_kek.h. */
#include "sim/opened.h"

struct check_pushes;
struct disk;
struct world;

struct check_pushes *check_pushes_new(void);
void check_pushes_free(struct check_pushes *c);
/* A push leaves the server with that disk. */
void check_pushes_content(struct check_pushes *c, const struct world *w, struct disk *disk,
                          const struct opened *push);
/* ... for node `to` of the world, among others. */
void check_pushes_to(struct check_pushes *c, const struct world *w, size_t to, enum wire_kind kind,
                     const struct opened *push);

struct check_pushes_report {
    uint64_t contents; /* (KEK, SEQ) */
    uint64_t datagrams;
};
struct check_pushes_report check_pushes_report(const struct check_pushes *c);
