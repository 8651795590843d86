#include "conf/check.h"

#include "conf/parse.h"
#include "conf/validate.h"

static void check_role(struct conf_check *check, enum conf_role role)
{
    bool server = role == CONF_ROLE_SERVER;

    if (role == CONF_ROLE_ANY || (server ? conf_server(check->tree) : conf_member(check->tree)))
        return;
    conf_diag(&check->diags, CONF_ERROR, (struct conf_pos){1, 1},
              server ? "security group-vpn server" : "security group-vpn member",
              "is missing, expected the configuration of %s", server ? "a key server" : "a member");
}

void conf_check(struct arena *arena, enum conf_role role, const char *file, struct bytes text,
                struct conf_check *ret_check)
{
    conf_diags_init(&ret_check->diags, arena, file);
    ret_check->tree = conf_parse(arena, file, text, &ret_check->diags);
    conf_validate(ret_check->tree, &ret_check->diags);
    check_role(ret_check, role);
    conf_diags_sort(&ret_check->diags);
}

enum err conf_check_verdict(const struct conf_check *check)
{
    if (conf_diags_count(&check->diags, CONF_ERROR) > 0)
        return ERR_CONFIG;
    return conf_diags_count(&check->diags, CONF_UNBUILT) > 0 ? ERR_UNBUILT : ERR_OK;
}

int conf_check_exit_code(const struct conf_check *check)
{
    return conf_check_verdict(check) == ERR_CONFIG ? 1 : 0;
}

static const char *counted(struct arena *arena, size_t n, const char *noun)
{
    return arena_text(arena, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

static const char *summary(const struct conf_diags *d, enum err verdict)
{
    switch ((int)verdict) {
    case ERR_OK:
        return "configuration check succeeds";
    case ERR_UNBUILT:
        return arena_text(
            d->arena,
            "configuration check succeeds, but %s not supported yet: the program will not start",
            d->count[CONF_UNBUILT] == 1
                ? "1 statement is"
                : arena_text(d->arena, "%zu statements are", d->count[CONF_UNBUILT]));
    default:
        return arena_text(d->arena, "configuration check failed: %s, %s",
                          counted(d->arena, d->count[CONF_ERROR], "error"),
                          counted(d->arena, d->count[CONF_WARNING], "warning"));
    }
}

const char *conf_check_report(const struct conf_check *check)
{
    const struct conf_diags *d = &check->diags;
    size_t all = 0;
    const char *text = "";

    for (size_t i = 0; i < d->n; i++)
        text = arena_text(d->arena, "%s%s\n", text, conf_diag_line(d, &d->list[i]));
    for (size_t i = 0; i < CONF_SEVERITIES; i++)
        all += d->count[i];
    if (all > d->n)
        text = arena_text(d->arena, "%s%s: %zu more findings are not shown\n", text, d->file,
                          all - d->n);
    return arena_text(d->arena, "%s%s: %s\n", text, d->file, summary(d, conf_check_verdict(check)));
}
