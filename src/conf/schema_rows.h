#pragma once
/* Short forms for the rows of the schema's tables; what a row adds to them follows in its braces.
 */
#include "base/ip.h"
#include "conf/schema.h"

#define ROW(name_, help_, kind_) .name = name_, .help = help_, .kind = kind_
#define FLAG(name_, help_) ROW(name_, help_, CONF_FLAG)
#define BLOCK(name_, help_, children_) ROW(name_, help_, CONF_CONTAINER), .children = children_
#define LEAF(name_, help_, type_) ROW(name_, help_, CONF_LEAF), .type = type_
#define NUMBER(name_, help_, min_, max_) LEAF(name_, help_, CONF_T_NUMBER), .min = min_, .max = max_
#define CHOICE(name_, help_, choices_) LEAF(name_, help_, CONF_T_CHOICE), .choices = choices_
/* Texts by their length in characters. */
#define TEXT(name_, help_, type_, min_, max_) LEAF(name_, help_, type_), .min = min_, .max = max_
#define DESCRIPTION TEXT("description", "Text description", CONF_T_TEXT, 1, 80)
/* Values or entries that are names, up to 32 characters as in Junos. */
#define NAME_32(type_) .type = type_, .min = 1, .max = 32
#define NAMED(name_, help_, children_)                                                             \
    ROW(name_, help_, CONF_LIST), NAME_32(CONF_T_NAME), .children = children_
/* The value must name an entry of `container list` on the same side. */
#define REFERS(container_, list_, text_)                                                           \
    .ref_container = container_, .ref_list = list_, .ref_text = text_
