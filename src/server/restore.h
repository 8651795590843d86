#pragma once
/* A server goes on where one before it was killed: groups with their SEQ and numbers, keys in the
 * slots that their instants give them, members, bans, the key pair that signs. Members notice
 * nothing. What the configuration has no place for any more is told and forgotten. */
#include "server/server.h"

/* Into the groups of a fresh server, before anything else is done to them. */
void restore_rows(struct server *s, const struct server_config *config, instant_t now,
                  struct effects *out);
