#include "ike1/numbers.h"

/* One switch per list: a number that appears twice does not compile. */
#define NAME(id, number, name)                                                                     \
    case number:                                                                                   \
        return name;
#define NAME_FORM(id, number, form, name) NAME(id, number, name)
#define NAMES(function, LIST, each)                                                                \
    const char *function(unsigned number)                                                          \
    {                                                                                              \
        switch (number) {                                                                          \
            LIST(each)                                                                             \
        default:                                                                                   \
            return "unknown";                                                                      \
        }                                                                                          \
    }

NAMES(ike1_payload_name, IKE1_PAYLOAD_LIST, NAME)
NAMES(ike1_exchange_name, IKE1_EXCHANGE_LIST, NAME)
NAMES(ike1_doi_name, IKE1_DOI_LIST, NAME)
NAMES(ike1_protocol_name, IKE1_PROTOCOL_LIST, NAME)
NAMES(ike1_id_type_name, IKE1_ID_LIST, NAME)
NAMES(ike1_attribute_name, IKE1_ATTRIBUTE_LIST, NAME_FORM)
NAMES(ike1_encryption_name, IKE1_ENCRYPTION_LIST, NAME)
NAMES(ike1_hash_name, IKE1_HASH_LIST, NAME)
NAMES(ike1_auth_name, IKE1_AUTH_LIST, NAME)
NAMES(ike1_life_name, IKE1_LIFE_LIST, NAME)
NAMES(ike1_notify_name, IKE1_NOTIFY_LIST, NAME)
NAMES(ike1_cert_name, IKE1_CERT_LIST, NAME)
