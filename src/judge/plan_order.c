/* What falls away, what comes first. */
#include "base/str.h"
#include "judge/plan_internal.h"

#include <stdlib.h>

static const char *level_of(const char *pack)
{
    const char *colon = strrchr(pack, ':');
    return colon ? colon + 1 : "";
}

static struct plan_step *highest_pack(const struct plan *plan, const struct plan_step *like)
{
    struct plan_step *best = NULL;
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *s = plan->steps.items[i];
        if (s->part == PLAN_SERVICE_PACK && patches_same_pack_line(s->patch, like->patch) &&
            (!best || patches_service_pack_level(level_of(s->patch)) >
                          patches_service_pack_level(level_of(best->patch))))
            best = s;
    }
    return best;
}

/* The step that makes this one needless, or NULL: a higher service pack, one that contains the
 * patch, a patch that supersedes it. */
static struct plan_step *made_needless_by(struct planning *p, const struct plan_step *s)
{
    const struct plan *plan = p->plan;
    if (s->part == PLAN_SERVICE_PACK) {
        struct plan_step *best = highest_pack(plan, s);
        return best == s ? NULL : best;
    }
    if (s->part != PLAN_PATCH)
        return NULL;
    struct patches *graph;
    const struct advisory_patch *patch = plan_patch_of(p, s->patch, &graph);
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *other = plan->steps.items[i];
        for (size_t k = 0; other->part == PLAN_SERVICE_PACK && patch && k < patch->contained_count;
             k++)
            if (patches_brings_pack(other->patch, patch->contained_in[k]))
                return other;
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *other = plan->steps.items[i];
        const char *const *below;
        if (other == s || other->part != PLAN_PATCH)
            continue;
        size_t count = patches_superseded(graph, other->patch, &below);
        if (plan_lists(below, count, s->patch))
            return other;
    }
    return NULL;
}

static void hand_over(struct plan_step *into, struct plan_step *s)
{
    for (size_t k = 0; k < s->closes.count; k++)
        if (!plan_lists(into->closes.items, into->closes.count, s->closes.items[k]))
            VEC_PUSH(&into->closes, s->closes.items[k]);
    into->exploited |= s->exploited;
    if (s->severity > into->severity)
        into->severity = s->severity;
    /* What the service pack brings back was not lost with it. */
    into->lost |= s->lost && into->part == PLAN_PATCH;
}

/* What a step needs may be brought by another than was asked for. */
static void follow_needs(const struct plan *plan, struct plan_step *const *last,
                         struct plan_step *s)
{
    size_t kept = 0;
    for (size_t n = 0; n < s->needs.count; n++) {
        const char *key = s->needs.items[n];
        for (size_t k = 0; k < plan->steps.count; k++)
            if (plan->steps.items[k]->patch && str_equal_nocase(plan->steps.items[k]->patch, key)) {
                key = last[k]->patch;
                break;
            }
        if (!str_equal(key, s->patch) && !plan_lists(s->needs.items, kept, key))
            s->needs.items[kept++] = key;
    }
    s->needs.count = kept;
}

void plan_drop_contained(struct planning *p)
{
    struct plan *plan = p->plan;
    size_t count = plan->steps.count;
    struct plan_step **into = arena_alloc(p->arena, (count + 1) * sizeof(struct plan_step *));
    for (size_t i = 0; i < count; i++)
        into[i] = made_needless_by(p, plan->steps.items[i]);
    /* What makes a step needless may be needless itself: follow to one that stays. Levels rise
     * and supersedence has no circles (patches.h), so the way ends; the bound is for certainty. */
    struct plan_step **last = arena_alloc(p->arena, (count + 1) * sizeof(struct plan_step *));
    for (size_t i = 0; i < count; i++) {
        last[i] = plan->steps.items[i];
        for (size_t hops = 0; hops < count; hops++) {
            size_t at = 0;
            while (plan->steps.items[at] != last[i])
                at++;
            if (!into[at])
                break;
            last[i] = into[at];
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        follow_needs(plan, last, plan->steps.items[i]);
        if (last[i] != plan->steps.items[i])
            hand_over(last[i], plan->steps.items[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct plan_step *s = plan->steps.items[i];
        if (last[i] == s) {
            plan->steps.items[kept++] = s;
            continue;
        }
        VEC_FREE(&s->closes);
        VEC_FREE(&s->subjects);
        VEC_FREE(&s->needs);
    }
    plan->steps.count = kept;
}

static int by_order(const void *x, const void *y)
{
    const struct plan_step *a = *(struct plan_step *const *)x;
    const struct plan_step *b = *(struct plan_step *const *)y;
    if (a->part != b->part)
        return (int)a->part - (int)b->part;
    if (a->intrusion != b->intrusion)
        return a->intrusion ? -1 : 1;
    /* the commands that bring updates, then what must be started anew, the host last */
    if (a->part == PLAN_UPDATE && (a->patch == NULL) != (b->patch == NULL))
        return a->patch ? -1 : 1;
    if (a->part == PLAN_UPDATE && a->reboot != b->reboot)
        return a->reboot - b->reboot;
    if (a->exploited != b->exploited)
        return a->exploited ? -1 : 1;
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    if (a->patch && b->patch && !str_equal(a->patch, b->patch))
        return strcmp(a->patch, b->patch);
    if (a->part == PLAN_SETTING && !str_equal(a->what.id, b->what.id))
        return strcmp(a->what.id, b->what.id);
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* Whatever a step needs comes before it. Bounded: each pass moves at least one step. */
static void order_needs(struct plan *plan)
{
    for (size_t pass = 0; pass < plan->steps.count; pass++) {
        bool moved = false;
        for (size_t i = 0; i < plan->steps.count; i++) {
            struct plan_step *s = plan->steps.items[i];
            for (size_t k = i + 1; k < plan->steps.count; k++) {
                struct plan_step *later = plan->steps.items[k];
                if (!later->patch || !plan_lists(s->needs.items, s->needs.count, later->patch) ||
                    plan_lists(later->needs.items, later->needs.count, s->patch ? s->patch : ""))
                    continue;
                memmove(&plan->steps.items[i + 1], &plan->steps.items[i],
                        (k - i) * sizeof *plan->steps.items);
                plan->steps.items[i] = later;
                moved = true;
                break;
            }
        }
        if (!moved)
            return;
    }
}

/* A workaround leaves the hole where it is: its finding stays until the patch is there. */
static struct message check_of(const struct plan_step *s)
{
    static const char *const ids[] = {
        [PLAN_NOW] = N_("yagura audit names {closes} until its patch is in"),
        [PLAN_SERVICE_PACK] = N_("yagura audit: {closes} must turn to fixed"),
        [PLAN_PATCH] = N_("yagura audit: {closes} must turn to fixed"),
        [PLAN_UPDATE] = N_("yagura audit must not name {closes} any more"),
        [PLAN_SETTING] = N_("yagura audit must not name {closes} any more"),
        [PLAN_NO_REMEDY] = N_("yagura audit must not name {closes} any more"),
    };
    const char *closes = s->closes.count ? s->closes.items[0] : s->patch ? s->patch : "";
    struct message m = message_of(ids[s->part]);
    if (!s->closes.count)
        m = message_of(N_("yagura facts must show {closes}"));
    else if (s->part == PLAN_NOW && s->about_setting)
        m = message_of(N_("yagura audit --checklist: {closes} must no longer fail"));
    else if (s->intrusion || s->settles)
        m = message_of(ids[PLAN_SETTING]);
    if (s->part == PLAN_NOW && s->about_setting)
        closes = s->about_setting;
    message_put(&m, "closes", closes);
    return m;
}

void plan_order(struct plan *plan)
{
    if (plan->steps.count)
        qsort(plan->steps.items, plan->steps.count, sizeof *plan->steps.items, by_order);
    order_needs(plan);
    bool reboot = false;
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *s = plan->steps.items[i];
        bool last = i + 1 == plan->steps.count || plan->steps.items[i + 1]->part != s->part;
        s->order = (unsigned)i + 1;
        s->check = check_of(s);
        plan->check_again |= s->part == PLAN_SERVICE_PACK;
        reboot |= s->reboot == 1;
        s->restart = last && reboot;
        if (last)
            reboot = false;
    }
}

/* Marks what those that are marked need; true while there was something. */
static bool mark_needed(const struct plan *p, bool *marked)
{
    bool more = false;
    for (size_t i = 0; i < p->steps.count; i++)
        for (size_t k = 0; k < p->steps.count && marked[i]; k++) {
            const struct plan_step *s = p->steps.items[i], *other = p->steps.items[k];
            if (!marked[k] && other->patch &&
                plan_lists(s->needs.items, s->needs.count, other->patch))
                marked[k] = more = true;
        }
    return more;
}

size_t plan_put_first(struct plan *p, const struct finding *const *findings, size_t count)
{
    size_t front = 0, all = p->steps.count;
    CLEANUP_FREE bool *marked = mem_alloc(all + 1);
    for (size_t f = 0; f < count; f++) {
        for (size_t i = 0; i < all; i++)
            marked[i] = plan_lists(p->steps.items[i]->closes.items, p->steps.items[i]->closes.count,
                                   findings[f]->rule_id);
        while (mark_needed(p, marked))
            continue;
        /* in the order that they have: there each stands behind what it needs */
        for (size_t i = front; i < all; i++) {
            struct plan_step *s = p->steps.items[i];
            if (!marked[i])
                continue;
            memmove(&p->steps.items[front + 1], &p->steps.items[front],
                    (i - front) * sizeof *p->steps.items);
            memmove(&marked[front + 1], &marked[front], i - front);
            p->steps.items[front++] = s;
        }
    }
    for (size_t i = 0; i < all; i++)
        p->steps.items[i]->order = (unsigned)i + 1;
    return front;
}
