#pragma once
/* From the words of one statement to nodes of the tree: the half of the parser that knows the
 * schema. */
#include "conf/parse.h"

struct conf_stmt {
    struct conf_word words[CONF_WORDS_MAX];
    size_t n;
    size_t list_at; /* index of the first word in [ ]; n when there is no list */
    size_t list_n;
    struct conf_pos pos;
    bool set_form; /* several leaves may follow each other */
    bool broken;   /* reported already: place nothing */
};

enum conf_placing { CONF_PLACED, CONF_FOREIGN, CONF_REFUSED };

struct conf_placed {
    enum conf_placing how;
    struct conf_node *outer; /* the node of the first word */
    struct conf_node *inner; /* the node of the last */
};

struct conf_placer {
    struct conf_tree *tree;
    struct conf_diags *diags;
    struct arena *arena;
    const struct conf_foreign *foreign; /* hierarchies already reported */
    unsigned n_foreign;
};

/* Puts a statement below `at`, merging with what is there. What does not fit is reported. */
struct conf_placed conf_place(struct conf_placer *p, struct conf_node *at,
                              const struct conf_stmt *s) MUST_USE;
/* The node that the words after the first name, or NULL: reported, unless it lies in a foreign
 * hierarchy. A leaf's value may be named or not. */
struct conf_node *conf_locate(struct conf_placer *p, const struct conf_stmt *s) MUST_USE;
/* Takes out the node that the words name, or of a leaf-list the one value that they name. */
void conf_delete(struct conf_placer *p, const struct conf_stmt *s);
/* "a, b or c": what may stand below a statement. */
const char *conf_expected_children(struct arena *arena, const struct conf_schema *s) MUST_USE;
