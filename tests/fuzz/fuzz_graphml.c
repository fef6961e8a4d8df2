/*
 * Any bytes as GraphML: what is accepted must come out so that it is accepted
 * again and comes out the same, also through JSON.
 */
#include <string.h>
#include "lib/graphml.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_same(struct arena *a, const struct dag *d,
		       const struct buf *xml)
{
	struct buf again = BUF_INIT;

	graphml_write(&again, d);
	if (strcmp(buf_str(xml), buf_str(&again)) != 0)
		BUG("%s became %s", buf_str(xml), buf_str(&again));
	buf_fini(&again);
	(void)a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct buf xml = BUF_INIT, json = BUF_INIT;
	struct err e = ERR_INIT;
	struct dag *d;

	graphml_probe((const char *)data, len);
	if (graphml_read(a, (const char *)data, len, "f", &d, &e)) {
		graphml_write(&xml, d);
		dag_write_json(&json, d);
		if (!graphml_read(a, xml.data, xml.len, "xml", &d, &e))
			BUG("%s is refused: %s", xml.data, e.text);
		check_same(a, d, &xml);
		if (!dag_read(a, json.data, json.len, "json", 0, &d, &e))
			BUG("%s is refused: %s", json.data, e.text);
		check_same(a, d, &xml);
	}
	buf_fini(&xml);
	buf_fini(&json);
	arena_free(a);
	return 0;
}
