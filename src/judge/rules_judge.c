/* Findings of checklist rules. */
#include "base/str.h"
#include "judge/rules.h"
#include "judge/rules_kinds.h"
#include "model/date.h"

/* More unknown records than this have one cause: they are one finding about the host. */
enum { MOST_UNKNOWN = 3, MOST_EVIDENCE = 16, MOST_NAMED = 5 };

/* Of a rule that gathers: a finding, and the records of its subject. */
struct gathered {
    struct finding *item;
    VEC(const char *) values;
    size_t affected; /* the first so many of `values`: known to be so */
};

struct judging {
    struct findings *out;
    const struct rule_results *results;
    const struct facts *facts;
    const char *identity;
    const struct rule_result *result;
    const struct rule *rule;
    const char *set; /* of the rule on this target */
    size_t first;    /* findings of this rule begin here */
    VEC(struct gathered) gathered;
};

/* What a leaving is, is said in words of the collector's own: they are translated. */
static void put(struct message *m, const char *key, const char *value)
{
    if (str_equal(key, "what"))
        message_put_translated(m, key, value);
    else
        message_put(m, key, value);
}

/* --- the subject --- */

static const char *fill(struct arena *arena, const char *template, const struct fact *f)
{
    struct message m = message_of(template);
    for (const char *p = template; (p = strchr(p, '{'));) {
        const char *end = strchr(++p, '}');
        if (!end)
            break;
        char *key = arena_strndup(arena, p, (size_t)(end - p));
        put(&m, key, fact_text(f, key));
    }
    return message_text(arena, &m);
}

/* "key otherkey" or a text with places; the first that is not empty. */
static const char *subject_of(struct arena *arena, const char *how, const struct fact *f)
{
    if (strchr(how, '{'))
        return fill(arena, how, f);
    char *copy = arena_strdup(arena, how), *save = NULL;
    for (char *key = strtok_r(copy, " ", &save); key; key = strtok_r(NULL, " ", &save))
        if (*fact_text(f, key))
            return fact_text(f, key);
    return "";
}

static void subject(struct judging *j, const struct fact *f, const char **kind, const char **name)
{
    const struct rule *rule = j->rule;
    const char *colon = strchr(rule->subject, ':');
    *kind = rule->category;
    if (rules_is_want(rule->subject)) { /* about a file or a key rather than about the host */
        *kind = str_starts_nocase(rule->subject, "HKLM") ? "registry" : "file";
        *name = str_starts_nocase(rule->subject, "HKLM") || !colon ? rule->subject : colon + 1;
        return;
    }
    const struct rules_kind *known = rules_kinds_find(rule->category);
    *name = "";
    if (f && *rule->subject)
        *name = subject_of(j->out->arena, rule->subject, f);
    if (f && !**name && known)
        *name = subject_of(j->out->arena, known->subject, f);
    if (!**name) {
        const struct fact *host = facts_first(j->facts, "host");
        *kind = "host";
        *name = host ? fact_text(host, "name") : "";
    }
}

/* --- texts --- */

/* The name of a file or an account, which an intruder may have chosen, as a word of the shell that
 * a step is pasted into. Windows has other quotes, and no path that begins with a slash. */
static const char *pasteable(struct arena *arena, const struct fact *f, const char *text)
{
    CLEANUP_STR struct str word = {0};
    if (*text != '/' && !str_equal(f->kind, "account"))
        return text;
    str_add_shell_word(&word, text);
    return arena_strdup(arena, str_text(&word));
}

/* Fills the places of a text with what the record says. */
static struct message message_for(struct judging *j, const char *text, const struct fact *f,
                                  const char *subject_name, bool is_step)
{
    struct message m = message_of(*text ? text : NULL);
    for (const char *p = text; (p = strchr(p, '{'));) {
        const char *end = strchr(++p, '}');
        if (!end)
            break;
        char key[64];
        size_t length = (size_t)(end - p);
        if (length >= sizeof key)
            continue;
        memcpy(key, p, length);
        key[length] = '\0';
        if (str_equal(key, "subject"))
            message_put(&m, "subject", subject_name);
        else if (f && fact_value(f, key))
            put(&m, fact_value(f, key)->key,
                is_step ? pasteable(j->out->arena, f, fact_text(f, key)) : fact_text(f, key));
    }
    return m;
}

static const char *clip(struct arena *arena, const char *text)
{
    enum { MOST = 200 };
    CLEANUP_STR struct str out = {0};
    size_t length = strlen(text);
    for (size_t i = 0; i < length && out.length < MOST; i++)
        str_add(&out, text[i] == '\n' ? "; " : (char[2]){text[i], '\0'});
    out.length = str_utf8_valid_prefix(str_text(&out), out.length);
    if (out.data)
        out.data[out.length] = '\0';
    if (length > MOST)
        str_add(&out, "...");
    return arena_strdup(arena, str_text(&out));
}

/* "script-map .printer: handler=C:\..., flags=5": the values that the rule asked for. */
static void add_evidence(struct judging *j, struct finding *item, const struct rule *rule,
                         const struct fact *f)
{
    CLEANUP_STR struct str out = {0};
    const struct rules_kind *kind = rules_kinds_find(rule->category);
    const char *name = kind ? subject_of(j->out->arena, kind->subject, f) : "";
    str_printf(&out, "%s %s", f->kind, name);
    size_t shown = 0;
    for (size_t i = 0; i < rule->field_count && shown < 12; i++) {
        const struct fact_value *v = fact_value(f, rule->fields[i]);
        bool stated = v && v->state == VALUE_TEXT;
        if ((!v && !rules_is_want(rule->fields[i])) || (stated && str_equal(v->text, name)))
            continue;
        str_add(&out, shown++ ? ", " : ": ");
        if (!v)
            str_printf(&out, _("%s was not looked at"), rule->fields[i]);
        else if (v->state == VALUE_TEXT)
            str_printf(&out, "%s=%s", v->key, clip(j->out->arena, v->text));
        else
            str_printf(&out,
                       v->state == VALUE_ABSENT ? _("%s is absent") : _("%s could not be read: %s"),
                       v->key, clip(j->out->arena, v->text));
    }
    struct evidence e = {f->path, f->line, f->offset, arena_strdup(j->out->arena, str_text(&out))};
    VEC_PUSH(&item->evidence, e);
    if (f->confidence < item->confidence)
        item->confidence = f->confidence;
}

static void add_also(struct judging *j, struct finding *item, const struct rule *rule)
{
    for (size_t i = 0; i < rule->also_count; i++) {
        const struct rule *other = rule->also_rules[i];
        const struct rule_result *r = rule_results_find(j->results, other->name);
        for (size_t k = 0; r && k < r->fired_count && k < 4; k++)
            add_evidence(j, item, other, r->fired[k]);
        for (size_t k = 0; r && k < r->unknown_count && k < 4; k++)
            add_evidence(j, item, other, r->unknown[k]);
        add_also(j, item, other);
    }
}

/* --- findings --- */

static struct finding *finding_of(struct judging *j, const char *kind, const char *name, bool *made)
{
    for (size_t i = j->first; i < j->out->list.count; i++)
        if (str_equal(j->out->list.items[i]->subject_name, name) &&
            str_equal(j->out->list.items[i]->subject_kind, kind))
            return j->out->list.items[i];
    char id[17];
    struct finding *item = findings_add(j->out);
    finding_make_id(id, j->identity, j->rule->name, name);
    item->id = arena_strdup(j->out->arena, id);
    item->rule_id = j->rule->name;
    item->subject_kind = kind;
    item->subject_name = name;
    *made = true;
    return item;
}

/* What the web server or inetd answers with, whoever asks. */
static void add_reach(struct finding *item, const struct rule *rule)
{
    bool web = str_equal(rule->category, "vdir") || str_equal(rule->category, "script-map") ||
               str_equal(rule->category, "php-pool") || str_equal(rule->category, "upstream");
    item->reachable =
        web || str_equal(rule->category, "listener") || str_equal(rule->category, "inetd");
    if (web) {
        struct message note = message_of(N_("A firewall or filter in front does not close this: it "
                                            "is reached through the port of the web server."));
        VEC_PUSH(&item->notes, note);
    }
}

static bool is_said(const struct judging *j, const struct rule_later *later)
{
    return j->result->as_of == DATE_NONE || later->date <= j->result->as_of;
}

/* What made it as grave as it is, is the reason; the rest are notes. */
static void add_later(const struct judging *j, struct finding *item, const struct rule_later *later)
{
    if (!is_said(j, later))
        return;
    struct message text = message_of(*later->text ? later->text : NULL);
    if (text.id && later->graded) {
        struct message before = item->why;
        item->why = text;
        text = before;
    }
    if (text.id)
        VEC_PUSH(&item->notes, text);
    struct reference r = {later->reference, later->reference};
    if (*later->reference)
        VEC_PUSH(&item->references, r);
}

/* Why this record could not be judged, or (NULL) the rule as a whole. */
static const char *reason_of(const struct rule_result *r, const struct fact *f)
{
    for (size_t i = 0; f && i < r->unknown_count; i++)
        if (r->unknown[i] == f)
            return r->reasons[i];
    return r->reason;
}

static void describe(struct judging *j, struct finding *item, const struct fact *f,
                     enum verdict verdict)
{
    const struct rule *rule = j->rule;
    item->rule_title = rule->title;
    const char *source = rule->source;
    for (size_t i = 0; i < rule->later_count; i++)
        if (is_said(j, &rule->later[i]) && *rule->later[i].source)
            source = rule->later[i].source;
    item->rule_source = *source                 ? source
                        : *rule->checklist_id   ? rule->checklist_id
                        : rule->reference_count ? rule->references[0]
                                                : "";
    item->rule_kind = str_equal(rule->category, "leaving") ? RULE_LEAVING : RULE_CHECKLIST;
    item->checklist = *j->set ? j->set : NULL;
    item->severity = j->result->severity;
    item->verdict = verdict;
    if (verdict == VERDICT_AFFECTED) {
        add_reach(item, rule);
        item->summary = message_for(j, *rule->description ? rule->description : rule->title, f,
                                    item->subject_name, false);
    } else {
        item->summary =
            message_of(*item->subject_name ? N_("{title}: cannot judge {subject}: {reason}")
                                           : N_("{title}: cannot judge: {reason}"));
        message_put_translated(&item->summary, "title", rule->title);
        message_put(&item->summary, "subject", item->subject_name);
        message_put_translated(&item->summary, "reason", reason_of(j->result, f));
    }
    item->why = message_for(j, rule->why, f, item->subject_name, false);
    item->remedy = message_for(j, rule->fix, f, item->subject_name, false);
    for (size_t i = 0; i < rule->step_count; i++) {
        struct message step = message_for(j, rule->steps[i], f, item->subject_name, true);
        VEC_PUSH(&item->steps, step);
    }
    for (size_t i = 0; i < rule->patch_count; i++)
        VEC_PUSH(&item->patches, rule->patches[i]);
    for (size_t i = 0; i < rule->reference_count; i++) {
        struct reference r = {rule->references[i], rule->references[i]};
        VEC_PUSH(&item->references, r);
    }
    for (size_t i = 0; i < rule->later_count; i++)
        add_later(j, item, &rule->later[i]);
}

/* True: it has evidence enough. */
static bool gather(struct judging *j, struct finding *item, const struct fact *f, bool affected)
{
    if (!*j->rule->gathers || !f)
        return false;
    size_t i = j->gathered.count;
    while (i && j->gathered.items[i - 1].item != item)
        i--;
    if (!i) {
        VEC_PUSH(&j->gathered, ((struct gathered){.item = item}));
        i = j->gathered.count;
    }
    struct gathered *g = &j->gathered.items[i - 1];
    VEC_PUSH(&g->values, fact_text(f, j->rule->gathers));
    g->affected += affected;
    return g->values.count > MOST_EVIDENCE;
}

static void put_where_named(struct message *m, const char *count, const char *names)
{
    if (m->id && strstr(m->id, "{count}"))
        message_put(m, "count", count);
    if (m->id && strstr(m->id, "{names}"))
        message_put(m, "names", names);
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Its id is that of all its records: whoever signed for it did not sign for one that comes. */
static void finish_gathered(struct judging *j, struct gathered *g)
{
    CLEANUP_STR struct str names = {0}, whole = {0};
    struct arena *arena = j->out->arena;
    struct finding *item = g->item;
    char id[17];
    for (size_t i = 0; i < g->affected && i < MOST_NAMED; i++)
        str_printf(&names, "%s%s", i ? ", " : "", g->values.items[i]);
    str_add(&names, g->affected > MOST_NAMED ? " ..." : "");
    const char *count = arena_printf(arena, "%zu", g->affected);
    const char *named = arena_strdup(arena, str_text(&names));
    struct message *texts[] = {&item->summary, &item->why, &item->remedy};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        put_where_named(texts[i], count, named);
    for (size_t i = 0; i < item->steps.count; i++)
        put_where_named(&item->steps.items[i], count, named);
    qsort(g->values.items, g->values.count, sizeof *g->values.items, by_text);
    str_add(&whole, item->subject_name);
    for (size_t i = 0; i < g->values.count; i++)
        str_printf(&whole, "\n%s", g->values.items[i]);
    finding_make_id(id, j->identity, j->rule->name, str_text(&whole));
    item->id = arena_strdup(arena, id);
    VEC_FREE(&g->values);
}

static void add_finding(struct judging *j, const struct fact *f, enum verdict verdict)
{
    const char *kind, *name;
    bool made = false;
    subject(j, f, &kind, &name);
    struct finding *item = finding_of(j, kind, name, &made);
    if (made)
        describe(j, item, f, verdict);
    bool enough = gather(j, item, f, verdict == VERDICT_AFFECTED);
    if (enough || (item->verdict != verdict && verdict == VERDICT_UNKNOWN))
        return; /* the same subject is known to be affected */
    if (f)
        add_evidence(j, item, j->rule, f);
    for (size_t i = 0; !f && i < j->result->unknown_count && i < MOST_EVIDENCE; i++)
        add_evidence(j, item, j->rule, j->result->unknown[i]);
    if (made)
        add_also(j, item, j->rule);
}

void rules_judge(struct findings *out, const struct rule_results *results,
                 const struct facts *facts, const char *set, const char *identity)
{
    for (size_t i = 0; i < rule_results_count(results); i++) {
        const struct rule_result *r = rule_results_at(results, i);
        struct judging j = {.out = out,
                            .results = results,
                            .facts = facts,
                            .identity = identity,
                            .result = r,
                            .rule = r->rule,
                            .first = out->list.count,
                            .set = rules_set_of(r->rule, facts)};
        bool speaks = r->outcome != OUTCOME_NOT_APPLICABLE;
        if (!speaks || r->too_early || r->rule->helper || (set && !str_equal(set, j.set)))
            continue;
        for (size_t k = 0; k < r->fired_count; k++)
            add_finding(&j, r->fired[k], VERDICT_AFFECTED);
        for (size_t k = 0; r->unknown_count <= MOST_UNKNOWN && k < r->unknown_count; k++)
            add_finding(&j, r->unknown[k], VERDICT_UNKNOWN);
        if (r->unknown_count > MOST_UNKNOWN || (r->outcome == OUTCOME_UNKNOWN && !r->unknown_count))
            add_finding(&j, NULL, VERDICT_UNKNOWN);
        for (size_t k = 0; k < j.gathered.count; k++)
            finish_gathered(&j, &j.gathered.items[k]);
        VEC_FREE(&j.gathered);
    }
}
