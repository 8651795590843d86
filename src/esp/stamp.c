#include "esp/stamp.h"

#include "esp/inner.h"

enum { US_PER_S = 1000000, NS_PER_US = 1000, HALF_MS_IN_US = 500 };

void esp_stamp_write(uint8_t *at, span_t time)
{
    at[0] = IP_PROTO_IPIP;
    at[1] = ESP_STAMP_POSIX_TIME;
    net_put16(at + 2, ESP_STAMP);
    net_put32(at + 4, (uint32_t)(time.ns / NS_PER_S));
    net_put32(at + 8, (uint32_t)(time.ns % NS_PER_S / NS_PER_US));
}

/* The stamp is early or late by that many microseconds; the difference of the seconds is taken
 * modulo 2^32 (2.3, "special care"). */
static int64_t ahead_us(const uint8_t *text, span_t time)
{
    int32_t s = (int32_t)(net_u32(text + 4) - (uint32_t)(time.ns / NS_PER_S));
    int64_t us = (int64_t)net_u32(text + 8) - time.ns % NS_PER_S / NS_PER_US;
    return s * (int64_t)US_PER_S + us;
}

enum esp_stat esp_stamp_check(const uint8_t *text, size_t len, span_t time, uint32_t window_ms)
{
    if (len < 4)
        return ESP_IN_STAMP_LENGTH;
    if (text[1] != ESP_STAMP_POSIX_TIME)
        return ESP_IN_STAMP_TYPE;
    if (len < ESP_STAMP || net_u16(text + 2) != ESP_STAMP)
        return ESP_IN_STAMP_LENGTH;
    if (text[0] != IP_PROTO_IPIP)
        return ESP_IN_STAMP_NEXT_HEADER;
    int64_t ahead = ahead_us(text, time), half = (int64_t)window_ms * HALF_MS_IN_US;
    if (ahead > half || net_u32(text + 8) >= US_PER_S)
        return ESP_IN_STAMP_NEW; /* more than a second of microseconds is no time at all */
    return ahead < -half ? ESP_IN_STAMP_OLD : ESP_DECRYPTED;
}
