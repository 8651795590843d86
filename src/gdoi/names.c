#include "gdoi/numbers.h"

/* One switch per list: a number that appears twice does not compile. */
#define NAME(id, number, name)                                                                     \
    case number:                                                                                   \
        return name;
#define NAMES(function, LIST)                                                                      \
    const char *function(unsigned number)                                                          \
    {                                                                                              \
        switch (number) {                                                                          \
            LIST(NAME)                                                                             \
        default:                                                                                   \
            return "unknown";                                                                      \
        }                                                                                          \
    }

NAMES(gdoi_kek_alg_name, GDOI_KEK_ALG_LIST)
NAMES(gdoi_sig_hash_name, GDOI_SIG_HASH_LIST)
NAMES(gdoi_sig_alg_name, GDOI_SIG_ALG_LIST)
NAMES(gdoi_ack_name, GDOI_ACK_LIST)
NAMES(gdoi_protocol_name, GDOI_PROTOCOL_LIST)
NAMES(gdoi_esp_name, GDOI_ESP_LIST)
NAMES(gdoi_encapsulation_name, GDOI_ENCAPSULATION_LIST)
NAMES(gdoi_auth_name, GDOI_AUTH_LIST)
NAMES(gdoi_preserve_name, GDOI_PRESERVE_LIST)
NAMES(gdoi_direction_name, GDOI_DIRECTION_LIST)
NAMES(gdoi_kd_name, GDOI_KD_LIST)
