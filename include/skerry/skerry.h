/* Skerry for C, and for whatever can call C: the same Device as in skerry/device.hpp, which tells more of each call.
   docs/embedding.md shows it in use; examples/two_devices.c is a whole program.

   Every call that can fail returns 0, or the number of an error code (docs/errors.md; skerry_code_name() gives its name);
   skerry_message() then says what happened, why, and what to do. Nothing is thrown; where memory runs out the program ends.

   Thread rule: a device belongs to one thread at a time and starts none. Network work happens inside skerry_sync(),
   skerry_run_for() and skerry_poll(); callbacks are called from there. A callback may call anything but skerry_close().

   Texts are UTF-8 and end with NUL; NULL where a text is optional stands for the empty one. What a call hands out belongs to
   the caller until it is given back with the call that is named; pointers into it live as long as it does.

   Numbers of enumerations and the order of members stay as they are within one major version; new members of
   skerry_options come at its end, which `size` makes safe. */
#ifndef SKERRY_SKERRY_H
#define SKERRY_SKERRY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct skerry_device skerry_device;
typedef struct skerry_table skerry_table;

typedef struct skerry_options {
    size_t size;            /* sizeof(skerry_options) */
    const char* path;       /* the SQLite file; made if absent */
    const char* server_url; /* "http://host:port"; empty: as stored, or local only */
    const char* token;      /* bearer token; empty: as stored */
    const char* name;       /* shown to people; used when the store is made */
} skerry_options;

typedef enum skerry_type { SKERRY_NULL = 0, SKERRY_INT = 1, SKERRY_REAL = 2, SKERRY_TEXT = 3, SKERRY_BLOB = 4 } skerry_type;

/* Text and blob lie in bytes[0 .. size); a text that Skerry hands out has a NUL behind it, one that it is given needs none. */
typedef struct skerry_value {
    skerry_type type;
    int64_t integer;
    double real;
    const void* bytes;
    size_t size;
} skerry_value;

typedef struct skerry_field {
    const char* attribute;
    skerry_value value;
} skerry_field;

typedef struct skerry_status {
    size_t size;                /* sizeof(skerry_status), set by the caller */
    char phase[16];             /* "idle", "syncing", "live", "waiting", "offline", "attention" */
    uint64_t waiting_to_send;   /* transactions that the server has not confirmed */
    uint64_t waiting_to_settle; /* transactions without a settled verdict, those above included */
    uint64_t drafts;            /* rejected transactions kept for a person */
    uint64_t conflicts;         /* open conflict records */
    uint64_t rows_received;     /* in the current or last sync */
    uint64_t rows_left;         /* estimate */
    int64_t fresh_as_of_us;     /* microseconds since 1970; 0: not everything was received yet */
    int problem;                /* the code of what it waits for; 0: nothing */
} skerry_status;

typedef enum skerry_choice { SKERRY_MINE = 1, SKERRY_THEIRS = 2, SKERRY_MIX = 3 } skerry_choice;

/* The version of the library, such as "0.1.0". */
const char* skerry_version(void);
/* The stable name of a code, such as "key_taken"; "server_failed" for a number that this library does not know. */
const char* skerry_code_name(int code);
/* Gives back a text that a call handed out. NULL is fine. */
void skerry_free(char* text);

/* Opens or makes the store. Needs the network only when a new store has no model yet. On failure *device is NULL, and
   *message, if message is not NULL, says why: skerry_free() it.
   Errors: model_missing, format_too_new, corrupt_store, io, offline, unauthorized, device_of_other_user. */
int skerry_open(const skerry_options* options, skerry_device** device, char** message);
void skerry_close(skerry_device* device); /* NULL is fine */
/* What the last call on this device that failed has to say, until the next that fails. */
const char* skerry_message(const skerry_device* device);

/* ---- reading and writing ---- */

/* One statement, a transaction by itself outside skerry_transaction(). Parameters fill ?1, ?2, …. With result not NULL, *result
   is a table to be given back with skerry_table_free(), empty for what returns no rows. */
int skerry_sql(skerry_device* device, const char* statement, const skerry_value* parameters, size_t count, skerry_table** result);
/* Runs work in one transaction: committed when it returns 0, rolled back when it returns anything else, which is then
   returned. strict: it succeeds or conflicts as a whole. Inside, skerry_sql(), skerry_update() and skerry_assert_row(). */
int skerry_transaction(skerry_device* device, int (*work)(skerry_device* device, void* data), void* data, int strict);
/* What a form showed and what its user made of it: writes only what differs. Inside skerry_transaction(). */
int skerry_update(skerry_device* device, const char* entity, const char* key, const skerry_field* shown, size_t shown_count,
                  const skerry_field* edited, size_t edited_count);
/* What has to be true of a row for the transaction to apply, such as "stock >= 3". Inside skerry_transaction(). */
int skerry_assert_row(skerry_device* device, const char* entity, const char* key, const char* expression);
/* A new key, UUID version 7: 36 characters and NUL. */
void skerry_new_uuid(skerry_device* device, char out[37]);

size_t skerry_table_rows(const skerry_table* table);
size_t skerry_table_columns(const skerry_table* table);
const char* skerry_table_column(const skerry_table* table, size_t column); /* NULL: there is none */
/* SKERRY_NULL where there is no such row or column. */
skerry_value skerry_table_value(const skerry_table* table, size_t row, size_t column);
void skerry_table_free(skerry_table* table); /* NULL is fine */

/* ---- syncing ---- */

/* Sends what is unsent, receives up to what the server had when it began. progress may be NULL; called four times a second. */
int skerry_sync(skerry_device* device, void (*progress)(const skerry_status* status, void* data), void* data);
/* Stay connected while skerry_run_for() or skerry_poll() is called. */
void skerry_set_live(skerry_device* device, int live);
/* Network work and callbacks for at most so long; returns early when skerry_stop_running() was called from a callback. */
void skerry_run_for(skerry_device* device, uint32_t milliseconds);
void skerry_stop_running(skerry_device* device);
/* The same without waiting, for an event loop that calls it now and then. */
void skerry_poll(skerry_device* device);
int skerry_get_status(skerry_device* device, skerry_status* status);

/* A live query: called now, and again whenever the result differs. *watch ends it with skerry_unwatch(). The table belongs to the call. */
int skerry_watch(skerry_device* device, const char* query, void (*changed)(const skerry_table* table, void* data), void* data, uint64_t* watch);
void skerry_unwatch(skerry_device* device, uint64_t watch);
/* Called for every transaction whose verdict has settled: "applied", "merged", "conflict", "rejected", "settled before". code: of a
   rejection or conflict its name, else empty. */
void skerry_on_verdict(skerry_device* device, void (*settled)(uint64_t transaction, const char* verdict, const char* code, const char* message, void* data), void* data);

/* ---- what waits for a person; open conflicts are the rows of the table skerry_conflict ---- */

/* Decides a conflict; fields are the values of SKERRY_MIX. Errors: not_found, invalid_argument (closed already). */
int skerry_resolve(skerry_device* device, const char* conflict, skerry_choice choice, const skerry_field* fields, size_t count);
/* Open drafts, oldest first: a table of number, code (its name), message, member, made_at (ISO 8601). */
int skerry_drafts(skerry_device* device, skerry_table** result);
int skerry_edit_draft(skerry_device* device, uint64_t draft, const char* entity, const char* key, const skerry_field* fields, size_t count);
/* *transaction, if not NULL, is the number of the transaction that does it again; 0: nothing was left to do. */
int skerry_retry_draft(skerry_device* device, uint64_t draft, uint64_t* transaction);
int skerry_discard_draft(skerry_device* device, uint64_t draft);

#ifdef __cplusplus
}
#endif
#endif
