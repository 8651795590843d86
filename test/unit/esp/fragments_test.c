#include "esp/fragments.h"

#include "test/unit/esp/fixture.h"

static struct esp_fragments table;

static struct esp_inner fragment(uint16_t id, uint16_t at, bool more, uint16_t port)
{
    return (struct esp_inner){.flow = {.source = 1,
                                       .destination = 2,
                                       .protocol = IP_PROTO_UDP,
                                       .source_port = port,
                                       .destination_port = port,
                                       .has_ports = at == 0},
                              .id = id,
                              .fragment_at = at,
                              .more_fragments = more};
}

static void later_fragments_learn_from_the_first(void **state)
{
    (void)state;
    memset(&table, 0, sizeof table);
    struct esp_inner first = fragment(5, 0, true, 4000), later = fragment(5, 1480, true, 0),
                     last = fragment(5, 2960, false, 0), other = fragment(6, 1480, false, 0);
    esp_fragments_track(&table, &later, now);
    assert_false(later.flow.has_ports); /* before the first: nothing is known */
    esp_fragments_track(&table, &first, now);
    esp_fragments_track(&table, &later, now);
    esp_fragments_track(&table, &last, now);
    esp_fragments_track(&table, &other, now);
    assert_true(later.flow.has_ports && last.flow.has_ports);
    assert_int_equal(later.flow.destination_port, 4000);
    assert_int_equal(last.flow.source_port, 4000);
    assert_false(other.flow.has_ports);
}

static void entries_are_exact_and_age(void **state)
{
    (void)state;
    memset(&table, 0, sizeof table);
    struct esp_inner first = fragment(5, 0, true, 4000);
    esp_fragments_track(&table, &first, now);
    for (int field = 0; field < 3; field++) {
        struct esp_inner other = fragment(5, 8, false, 0);
        other.flow.source += field == 0;
        other.flow.destination += field == 1;
        other.flow.protocol = (uint8_t)(other.flow.protocol + (field == 2));
        esp_fragments_track(&table, &other, now);
        assert_false(other.flow.has_ports);
    }
    struct esp_inner in_time = fragment(5, 8, false, 0), late = fragment(5, 8, false, 0);
    instant_t end = instant_add(now, span_s(ESP_FRAGMENT_LIFE_S));
    esp_fragments_track(&table, &in_time, (instant_t){end.ns - 1});
    esp_fragments_track(&table, &late, end);
    assert_true(in_time.flow.has_ports);
    assert_false(late.flow.has_ports);
}

static void whole_packets_and_tiny_first_fragments_teach_nothing(void **state)
{
    (void)state;
    memset(&table, 0, sizeof table);
    struct esp_inner whole = fragment(5, 0, false, 4000), tiny = fragment(5, 0, true, 0);
    struct esp_inner later = fragment(5, 8, false, 0);
    tiny.flow.has_ports = false; /* the ports did not fit in */
    esp_fragments_track(&table, &whole, now);
    esp_fragments_track(&table, &tiny, now);
    esp_fragments_track(&table, &later, now);
    assert_false(later.flow.has_ports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_fragments_learn_from_the_first),
        cmocka_unit_test(entries_are_exact_and_age),
        cmocka_unit_test(whole_packets_and_tiny_first_fragments_teach_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
