/* The lanes of one server. */
#include "server/lanes.h"

#include <stdlib.h>
#include "server/lanes_int.h"

struct lanes *lanes_new(struct server *srv)
{
	struct lanes *l = xcalloc(1, sizeof(*l));

	l->srv = srv;
	l->classes = classes_new(srv);
	l->scratch = arena_new();
	l->submit = lane_new(srv, &lane_submit_kind);
	l->bulk = lane_new(srv, &lane_bulk_kind);
	l->claim = lane_new(srv, &lane_claim_kind);
	l->report = lane_new(srv, &lane_report_kind);
	l->output = lane_new(srv, &lane_output_kind);
	return l;
}

void lanes_free(struct lanes *l)
{
	if (l == NULL)
		return;
	lane_free(l->submit);
	lane_free(l->bulk);
	lane_free(l->claim);
	lane_free(l->report);
	lane_free(l->output);
	classes_free(l->classes);
	arena_free(l->scratch);
	free(l);
}

int32_t lanes_bucket(const struct server *srv, enum bucket b)
{
	return srv->bucket + (int32_t)b;
}
