#pragma once
/* State tables. A machine is an array of named states, each with the set of states it may move to;
 * a move that the table does not list is a bug and aborts. */
#include <assert.h>
#include <stdint.h>

struct fsm_state {
    const char *name;
    uint32_t next; /* set of FSM_TO(state) */
};

#define FSM_TO(state) (UINT32_C(1) << (state))

static inline void fsm_move(const struct fsm_state *table, unsigned *state, unsigned to)
{
    assert(table[*state].next & FSM_TO(to));
    *state = to;
}
