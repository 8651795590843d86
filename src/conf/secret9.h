#pragma once
/* The $9$ form in which Junos writes secrets into files. It keeps a key from being read over a
 * shoulder and is no protection beyond that: it has no key, and everybody can turn it back. */
#include "base/arena.h"

#include <stdbool.h>

/* True when the text begins with $9$. */
bool conf_secret9_is(const char *text);
/* The clear text of a $9$ text, in the arena; NULL when malformed (no NUL octet can be hidden in
 * it). */
const char *conf_secret9_decode(struct arena *arena, const char *text) MUST_USE;
/* The $9$ text of a clear text, in the arena. The letters that Junos draws at random come from the
 * secret's length here: the engine has no randomness, and the form would gain nothing by it. */
const char *conf_secret9_encode(struct arena *arena, const char *clear) MUST_USE;
