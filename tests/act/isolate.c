/* isolate STATE begin MODE SECONDS [ALLOW [CHAIN KEY]] | preview MODE [ALLOW] | confirm | end |
 * look | who
 *
 * What the runbook does with act/firewall.h, alone, for the tests. Words out, one line each; ends
 * with 0, or 2 and the error's sentence. */
#include "act/firewall.h"
#include "act/notice.h"
#include "base/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int failed(const struct error *e)
{
    printf("error: %s\n", e->message);
    return 2;
}

static int who(const struct operator* op)
{
    static const char *const seats[] = {"nowhere", "console", "network", "hidden"};
    char text[120];
    printf("seat %s\nuser %s %s\n", seats[op->seat], op->user, op->local ? "local" : "elsewhere");
    for (size_t i = 0; i < op->way_count; i++)
        printf("way %s%s%s%s\n", connection_text(&op->ways[i].connection, text, sizeof text),
               op->ways[i].made_here ? " made here" : "", op->ways[i].tunnel[0] ? " tunnel " : "",
               op->ways[i].tunnel);
    if (op->through[0])
        printf("through %s\n", op->through);
    if (op->why[0])
        printf("why %s\n", op->why);
    return 0;
}

static int begin(int dir, struct firewall_plan *p, const struct connections *all, bool for_real)
{
    struct error e = ERROR_INIT;
    struct firewall_result r = {0};
    size_t ending = 0;
    CLEANUP_STR struct str rules = {0};
    if (!firewall_preview(p, all, &rules, &ending, &e))
        return failed(&e);
    if (!for_real) {
        printf("ending %zu\n%s", ending, str_text(&rules));
        return 0;
    }
    if (!firewall_begin(dir, p, &r, &e))
        return failed(&e);
    printf("%s\nended %zu\nleft %zu\nload_us %llu\nall_us %llu\n",
           r.confirmed ? "confirmed" : "trial", r.ended, r.left, (unsigned long long)r.load_us,
           (unsigned long long)r.all_us);
    return 0;
}

static int look(int dir)
{
    static const char *const stands[] = {"none",   "trial",   "confirmed",
                                         "lapsed", "removed", "strange"};
    struct firewall_status s;
    struct error e = ERROR_INIT;
    if (!firewall_look(dir, FIREWALL_ISOLATION, &s, &e))
        return failed(&e);
    printf("%s\nmode %s\nseconds %u\naltered %d\nchanged %s\n", stands[s.stand],
           firewall_mode_name(s.mode), s.seconds_left, s.altered, s.changed);
    return 0;
}

int main(int argc, char **argv)
{
    struct error e = ERROR_INIT;
    CLEANUP_CONNECTIONS struct connections all = {0};
    struct firewall_plan p = {
        .trial_seconds = 600, .web = {80}, .web_count = 1, .web_tls = {443}, .web_tls_count = 1};
    json_begin();
    if (argc < 3)
        return 2;
    CLEANUP_CLOSE int dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || !connections_read(&all, &e) || !operator_find(&p.operator, & all, &e))
        return failed(&e);
    const char *what = argv[2];
    if (str_equal(what, "who"))
        return who(&p.operator);
    if (str_equal(what, "look"))
        return look(dir);
    if (str_equal(what, "end"))
        return firewall_end(dir, FIREWALL_ISOLATION, &e) ? 0 : failed(&e);
    if (str_equal(what, "confirm"))
        return firewall_confirm(dir, FIREWALL_ISOLATION, &p.operator, & e) ? 0 : failed(&e);
    bool for_real = str_equal(what, "begin");
    if (argc < 4 || !firewall_mode_parse(&p.mode, argv[3]))
        return 2;
    int allow = for_real ? 5 : 4;
    if (for_real && argc > 4)
        p.trial_seconds = (unsigned)atoi(argv[4]);
    if (argc > allow && !firewall_plan_name(&p, argv[allow], &e))
        return failed(&e);
    firewall_plan_ways(&p);
    struct notice n = {.seconds = p.trial_seconds};
    if (argc > allow + 2)
        n.certificates[n.certificate_count++] =
            (struct notice_certificate){argv[allow + 1], argv[allow + 2]};
    if (for_real && p.mode == FIREWALL_WEB &&
        !notice_start(&p.notice_port, &p.notice_tls_port, dir, &n, &e))
        return failed(&e);
    return begin(dir, &p, &all, for_real);
}
