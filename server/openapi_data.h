/* The text of doc/openapi.json, put into C by server/embed-text.awk. */
#ifndef SORTIE_SERVER_OPENAPI_DATA_H
#define SORTIE_SERVER_OPENAPI_DATA_H

extern const char openapi_json[];

#endif
