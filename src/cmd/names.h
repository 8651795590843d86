#pragma once
/* Algorithms as the operational commands of Junos write them. */
#include "crypto/hash.h"
#include "crypto/packet.h"
#include "model/model.h"

/* Of ESP: "aes-256", and "sha256" or, in a member's tables, "sha256-128". */
const char *name_esp_cipher(enum cipher c);
const char *name_esp_auth(enum auth a);
const char *name_esp_auth_long(enum auth a);
/* Of ISAKMP and KEKs: "aes256-cbc", "hmac-sha256-128", "hmac-sha256", "sha256". */
const char *name_cipher(enum cipher c);
const char *name_ike_cipher(const struct model_ike_proposal *p);
const char *name_ike_auth(enum model_ike_hash h);
const char *name_ike_prf(enum model_ike_hash h);
const char *name_hash(enum hash h);
/* "Pre-shared-keys" */
const char *name_ike_method(enum model_ike_auth a);
