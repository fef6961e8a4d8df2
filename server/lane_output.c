/* Pieces of output on their way to the database, batched by bytes. */
#include "server/lanes_int.h"

#include <stdlib.h>
#include "lib/log.h"
#include "server/options.h"
#include "server/wake.h"

#define BATCH_BYTES (UINT32_C(4) << 20)
#define BATCH_CHUNKS 1000

static struct chunk *chunk_of(struct lane_item *i)
{
	return (struct chunk *)i;
}

/* The bytes of a blob are in the blob directory already. */
static void add_data(struct db_array *data, struct db_array *blob,
		     const struct chunk *c)
{
	if (c->is_blob) {
		db_a_null(data);
		db_a_text(blob, (const char *)c->hash, sizeof(c->hash));
	} else {
		db_a_text(data, c->data, c->len);
		db_a_null(blob);
	}
}

static const char *output_build(struct lane_batch *b, struct db_params *p)
{
	const struct settings *set = lane_server(b->lane)->set;
	struct arena *a = b->arena;
	struct db_array *pilot = db_array_new(a, DB_I64);
	struct db_array *job = db_array_new(a, DB_I64);
	struct db_array *run = db_array_new(a, DB_I64);
	struct db_array *stream = db_array_new(a, DB_I16);
	struct db_array *at = db_array_new(a, DB_I64);
	struct db_array *len = db_array_new(a, DB_I32);
	struct db_array *data = db_array_new(a, DB_BYTEA);
	struct db_array *blob = db_array_new(a, DB_BYTEA);

	for (size_t i = 0; i < b->n; i++) {
		const struct chunk *c = chunk_of(b->item[i]);

		db_a_i64(pilot, c->pilot);
		db_a_i64(job, c->job);
		db_a_i64(run, c->run);
		db_a_i64(stream, c->stream);
		db_a_i64(at, c->at);
		db_a_i64(len, (int64_t)c->len);
		add_data(data, blob, c);
	}
	db_p_i64(p, set->output_head);
	db_p_i64(p, set->output_tail);
	db_p_array(p, pilot);
	db_p_array(p, job);
	db_p_array(p, run);
	db_p_array(p, stream);
	db_p_array(p, at);
	db_p_array(p, len);
	db_p_array(p, data);
	db_p_array(p, blob);
	return "output_put";
}

static void output_deliver(struct lane_batch *b, const struct db_result *r)
{
	for (size_t row = 0; row < db_rows(r); row++) {
		struct chunk *c = chunk_of(b->item[db_i64(r, row, 0) - 1]);

		wake_job(lane_server(b->lane), c->job);
		chunk_reply(c, db_text(r, row, 1)[0], db_i64(r, row, 2));
	}
}

static void output_fail(struct lane_item *i, enum db_outcome o,
			const struct db_fault *f)
{
	db_reply_fault(i->req, o, f);
}

const struct lane_kind lane_output_kind = {
	.name = "output",
	.max_weight = BATCH_BYTES,
	.max_items = BATCH_CHUNKS,
	.queue_items = 20000,
	.queue_bytes = (size_t)64 << 20,
	.one_per_owner = true,
	.drop_gone = true,
	.build = output_build,
	.deliver = output_deliver,
	.fail = output_fail,
};
