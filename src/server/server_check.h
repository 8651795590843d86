#pragma once
/* Whether a configuration can be served: what conf/ cannot know, before anything is begun. */
#include "model/model.h"
#include "sa/effects.h"

struct certified;
struct server;

/* Tells which statement cannot be served, and gives the error back. */
enum err server_cannot(struct effects *out, enum err err, const struct model_where *where,
                       const char *what);
/* ERR_UNBUILT, ERR_TYPE, ERR_CONFIG, ERR_LIMIT: the first statement that cannot is told in `out`.
 */
MUST_USE enum err server_check(const struct model_server *model, struct effects *out);
/* Whether every certificate that the model names is there, and no message of its groups too large
 * with it (server/size.h). ERR_NOT_FOUND, ERR_LIMIT: told. */
MUST_USE enum err server_check_certificates(const struct server *s,
                                            const struct model_server *model,
                                            const struct certified *certified, struct effects *out);
