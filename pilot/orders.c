/* What the server tells a pilot to do: end a run, take no more, stop. */
#include <string.h>

#include "lib/log.h"
#include "pilot/talk.h"

static void cancel(struct talk *t, struct json_object *o)
{
	const char *id = json_get_str(o, "run");
	struct run *r = id ? runs_find(t->runs, id) : NULL;

	/* Orders are repeated until fulfilled. */
	if (!r || r->cancelled || r->stale)
		return;
	switch (r->state) {
	case RUN_FETCHING:
	case RUN_READY:
		r->cancelled = true;
		work_end_unstarted(t, r, "cancelled", "");
		break;
	case RUN_ACTIVE:
		r->cancelled = true;
		log_info("job %lld is cancelled: ending its payload",
			 (long long)r->job);
		payload_kill(r->payload, PAYLOAD_CANCEL, -1);
		break;
	default:
		break;
	}
}

static void drain(struct talk *t, struct json_object *o)
{
	(void)o;
	talk_drain(t, DRAIN_SOFT, "the server says drain");
}

static void stop(struct talk *t, struct json_object *o)
{
	(void)o;
	talk_drain(t, DRAIN_NOW, "the server says stop");
}

static const struct {
	const char *name;
	void (*obey)(struct talk *t, struct json_object *o);
} orders[] = {
	{ "cancel", cancel },
	{ "drain", drain },
	{ "stop", stop },
};

void orders_obey(struct talk *t, struct json_object *list)
{
	if (!list || json_type(list) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(list); i++) {
		struct json_object *o = json_at(list, i);
		const char *name = NULL;

		if (json_type(o) == JSON_OBJECT)
			name = json_get_str(o, "order");
		for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); k++)
			if (name && strcmp(orders[k].name, name) == 0)
				orders[k].obey(t, o);
	}
}
