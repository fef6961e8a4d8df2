/*
 * The header Idempotency-Key: for some days the same key of the same owner
 * with the same path and body gives the same answer and makes nothing new.
 */
#ifndef SORTIE_SERVER_IDEMPOTENCY_H
#define SORTIE_SERVER_IDEMPOTENCY_H

#include "server/req.h"

/* The request's key, or NULL. Lives as long as the request. */
bool idempotency_key(struct req *r, const char **out, struct err *e) MUST_CHECK;
/* Of path and body: the same key with another hash is another request. */
void idempotency_hash(struct req *r, uint8_t out[32]);

#endif
