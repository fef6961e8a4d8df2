/* Time and salt of a batch's UUIDs. */
#include "server/stamp.h"

#include "lib/clock.h"
#include "lib/id.h"

#define SALT_MASK ((UINT32_C(1) << 30) - 1)
#define LOW_MASK 0x3ffff /* what stands behind the number */
#define HIGH_MASK 0xfff  /* what stands behind the version */

void stamp_init(struct stamp *s)
{
	s->wall_ms = clock_wall_ms();
	id_random(&s->salt, sizeof(s->salt));
	s->salt &= SALT_MASK;
}

void stamp_read(struct stamp *s, int64_t high, int64_t low)
{
	s->wall_ms = (int64_t)((uint64_t)high >> 16);
	s->salt = (uint32_t)(((uint64_t)high & HIGH_MASK) << 18 |
			     ((uint64_t)low & LOW_MASK));
}

void stamp_params(const struct stamp *s, struct db_params *p)
{
	db_p_i64(p, (int64_t)((uint64_t)s->wall_ms << 16 | 0x7000 |
			      s->salt >> 18));
	db_p_i64(p, (int64_t)(UINT64_C(1) << 63 | (s->salt & LOW_MASK)));
}

void stamp_uuid(const struct stamp *s, int64_t number, char *out)
{
	id_uuid_make(s->wall_ms, number, s->salt, out);
}
