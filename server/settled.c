/* What ended and moved jobs set going besides. */
#include "server/settled.h"

#include "lib/log.h"
#include "server/callback.h"
#include "server/db.h"
#include "server/duty.h"
#include "server/server.h"
#include "server/wake.h"

bool settled_tell(struct server *srv, char what, int64_t number)
{
	switch (what) {
	case 'e':
		wake_ended(srv, number);
		return true;
	case 'f':
		duty_poke(srv->duties, DUTY_FIRING);
		return true;
	case 'F':
		duty_poke(srv->duties, DUTY_WORKFLOW_CANCEL);
		return true;
	case 'z':
		wake_workflow(srv, number);
		callbacks_poke(srv->callbacks);
		return true;
	default:
		return false;
	}
}

bool settled_row(struct server *srv, const struct db_result *r, size_t row,
		 int what, int number)
{
	if (db_is_null(r, row, what))
		return false;
	if (!settled_tell(srv, db_text(r, row, what)[0],
			  db_i64(r, row, number)))
		BUG("the database answered a row '%s'", db_text(r, row, what));
	return true;
}
