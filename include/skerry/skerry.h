/* Skerry for C, and for whatever can call C: the same Device as in skerry/device.hpp, which tells more of each call.
   docs/embedding.md shows it in use; examples/two_devices.c is a whole program.

   Every call that can fail returns 0, or the number of an error code (docs/errors.md; skerry_code_name() gives its name);
   skerry_message() then says what happened, why, and what to do. Nothing is thrown; where memory runs out the program ends.

   Thread rule: a device belongs to one thread at a time and starts none. Network work happens inside skerry_sync(),
   skerry_run_for() and skerry_poll(); callbacks are called from there. A callback may call anything but skerry_close().

   Texts are UTF-8 and end with NUL; NULL where a text is optional stands for the empty one. What a call hands out belongs to
   the caller until it is given back with the call that is named; pointers into it live as long as it does. `data` is handed to the
   callback as it was given, and has to live as long as the callback may be called.

   Numbers of enumerations and the order of members stay as they are within one major version. New members of skerry_options and
   skerry_status come at the end, and `size` says up to where a program knows them: one that was built against an older header goes on
   with a newer library. A newer skerry_options than the library's is refused, because what it asks for would not be done. */
#ifndef SKERRY_SKERRY_H
#define SKERRY_SKERRY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open store: from skerry_open() until skerry_close(). */
typedef struct skerry_device skerry_device;
/** The result of a query: rows and columns of values. Whoever got it by a result parameter gives it back with skerry_table_free(). */
typedef struct skerry_table skerry_table;

/** How to open a store. Set all to zero, then what is needed: `skerry_options options = {.size = sizeof options, .path = "ann.db"}`. */
typedef struct skerry_options {
    size_t size;            /**< sizeof(skerry_options), as the program's header has it; what a library has beyond that is zero */
    const char* path;       /**< the SQLite file; made if absent */
    const char* server_url; /**< "http://host:port"; empty: as stored, or local only */
    const char* token;      /**< bearer token; empty: as stored */
    const char* name;       /**< shown to people; used when the store is made */
} skerry_options;

/** Of which kind a value is, as SQLite holds it. */
typedef enum skerry_type {
    SKERRY_NULL = 0, /**< no value */
    SKERRY_INT = 1,  /**< in `integer` */
    SKERRY_REAL = 2, /**< in `real` */
    SKERRY_TEXT = 3, /**< UTF-8 without NUL, in `bytes` and `size` */
    SKERRY_BLOB = 4  /**< in `bytes` and `size` */
} skerry_type;

/** A value; how each type of the model is held says docs/model.md. Text and blob lie in bytes[0 .. size); a text that Skerry hands out has a
    NUL behind it, one that it is given needs none. */
typedef struct skerry_value {
    skerry_type type;  /**< says which of the others count */
    int64_t integer;   /**< of SKERRY_INT */
    double real;       /**< of SKERRY_REAL */
    const void* bytes; /**< of SKERRY_TEXT and SKERRY_BLOB; may be NULL where size is 0 */
    size_t size;       /**< of SKERRY_TEXT and SKERRY_BLOB, in bytes, without a NUL behind it */
} skerry_value;

/** An attribute of a row and its value. */
typedef struct skerry_field {
    const char* attribute; /**< the attribute's name */
    skerry_value value;    /**< its value */
} skerry_field;

/** How a device stands: skerry_get_status(). */
typedef struct skerry_status {
    size_t size;                /**< sizeof(skerry_status), set by the caller; then how much of it was filled */
    char phase[16];             /**< "idle", "syncing", "live", "waiting", "offline", "attention", as docs/rhythm.md tells them */
    uint64_t waiting_to_send;   /**< transactions that the server has not confirmed */
    uint64_t waiting_to_settle; /**< transactions without a settled verdict, those above included */
    uint64_t drafts;            /**< rejected transactions kept for a person */
    uint64_t conflicts;         /**< open conflict records, everybody's */
    uint64_t rows_received;     /**< in the current or last sync */
    uint64_t rows_left;         /**< still to come in it; estimate */
    int64_t fresh_as_of_us;     /**< everything that the server had then is here; microseconds since 1970; 0: not everything was received yet */
    int problem;                /**< the code of what it waits for; 0: nothing */
} skerry_status;

/** What a person decides of a conflict: skerry_resolve(). */
typedef enum skerry_choice {
    SKERRY_MINE = 1,   /**< the author's values are written; a row that was deleted comes back, a deletion deletes */
    SKERRY_THEIRS = 2, /**< the row stays as it is */
    SKERRY_MIX = 3     /**< the fields given are written */
} skerry_choice;

/** The version of the library, such as "0.1.0". Not to be freed. */
const char* skerry_version(void);
/** The stable name of a code, such as "key_taken"; "internal" for what is no code. Not to be freed. */
const char* skerry_code_name(int code);
/** Gives back a text that a call handed out. NULL is fine. */
void skerry_free(char* text);

/** Opens or makes the store. Needs the network only when a new store has no model yet. On failure `*device` is NULL, and
    `*message`, if message is not NULL, says why: skerry_free() it.
    Errors: invalid_argument (`size` is none that this library knows, no path, a server's address or a token that is none), already_exists (the file is the database
    of another program), model_missing, format_too_new, not_supported (https), corrupt_store, io, offline, unauthorized, device_of_other_user. */
int skerry_open(const skerry_options* options, skerry_device** device, char** message);
/** Closes the store. A sync under way ends where it stands; what was committed stays. NULL is fine. Not from within a callback. */
void skerry_close(skerry_device* device);
/** What the last call on this device that failed has to say, for a person, in some lines: until the next that fails. Empty before that. */
const char* skerry_message(const skerry_device* device);

/* ---- reading and writing ---- */

/** One statement, a transaction by itself outside skerry_transaction(). Parameters fill ?1, ?2, …. With result not NULL, `*result`
    is a table to be given back with skerry_table_free(), empty for what returns no rows; NULL on failure.
    Errors: sql, invalid_argument (BEGIN, COMMIT and the like, more than one statement, another number of parameters), and what the model
    does not allow: constraint, required, check_failed, not_unique, still_referenced, value_invalid and others. */
int skerry_sql(skerry_device* device, const char* statement, const skerry_value* parameters, size_t count, skerry_table** result);
/** Runs work in one transaction: committed when it returns 0, rolled back when it returns anything else, which is then
    returned. strict, not 0: it succeeds or conflicts as a whole. Inside, skerry_sql(), skerry_update() and skerry_assert_row(). Errors of
    its own: invalid_argument (inside another), and those of the commit, such as txn_too_big. */
int skerry_transaction(skerry_device* device, int (*work)(skerry_device* device, void* data), void* data, int strict);
/** What a form showed and what its user made of it: writes only what differs, as changed from what was shown. Inside
    skerry_transaction(). Errors: not_found (entity, attribute or row), invalid_argument, and those of a write by skerry_sql(). */
int skerry_update(skerry_device* device, const char* entity, const char* key, const skerry_field* shown, size_t shown_count,
                  const skerry_field* edited, size_t edited_count);
/** What has to be true of a row for the transaction to apply, such as "stock >= 3". The server judges it; here, only a definite no refuses
    at once. Inside skerry_transaction(). Errors: assert_failed, expression_invalid, not_found (entity), value_invalid (key),
    invalid_argument, txn_too_big. */
int skerry_assert_row(skerry_device* device, const char* entity, const char* key, const char* expression);
/** A new key, UUID version 7: 36 characters and NUL. */
void skerry_new_uuid(skerry_device* device, char out[37]);

/** How many rows a table has. */
size_t skerry_table_rows(const skerry_table* table);
/** How many columns a table has; also one without rows has them. */
size_t skerry_table_columns(const skerry_table* table);
/** The name of a column, counted from 0. NULL: there is none. Lives as long as the table. */
const char* skerry_table_column(const skerry_table* table, size_t column);
/** The value in a row and a column, both counted from 0; SKERRY_NULL where there is no such row or column. What it points to lives as
    long as the table. */
skerry_value skerry_table_value(const skerry_table* table, size_t row, size_t column);
/** Gives a table back. NULL is fine. */
void skerry_table_free(skerry_table* table);

/* ---- syncing ---- */

/** Sends what is unsent, receives up to what the server had when it began. progress may be NULL; called four times a second or more. An
    error says why it could not finish; work goes on locally. Errors: offline, unauthorized, invalid_argument (no server, or inside
    skerry_transaction()), sync_elsewhere (another program syncs this store), and others of docs/errors.md. */
int skerry_sync(skerry_device* device, void (*progress)(const skerry_status* status, void* data), void* data);
/** live, not 0: stay connected while skerry_run_for() or skerry_poll() is called. 0: no longer. Without a server it does nothing. */
void skerry_set_live(skerry_device* device, int live);
/** Network work and callbacks for at most so long; returns early when skerry_stop_running() was called from a callback. */
void skerry_run_for(skerry_device* device, uint32_t milliseconds);
/** Ends the skerry_run_for() from whose callback it is called. */
void skerry_stop_running(skerry_device* device);
/** As skerry_run_for(), without waiting, for an event loop that calls it now and then. */
void skerry_poll(skerry_device* device);
/** How the device stands. Set `status->size` first. On an error (of reading the store) `*status` stays as it was. */
int skerry_get_status(skerry_device* device, skerry_status* status);

/** A live query, one statement that only reads: called now, and again, from skerry_sync(), skerry_run_for() and skerry_poll(), whenever the
    result differs, or it has failed and succeeds again. `*watch`, if watch is not NULL, ends it with skerry_unwatch(). The table belongs to the call. Errors: sql,
    invalid_argument (it writes). */
int skerry_watch(skerry_device* device, const char* query, void (*changed)(const skerry_table* table, void* data), void* data, uint64_t* watch);
/** Ends a live query. A number that is none does nothing. */
void skerry_unwatch(skerry_device* device, uint64_t watch);
/** Called for every transaction whose verdict has settled in a sync of this device: "applied", "merged", "conflict", "rejected",
    "settled before". code: of a rejection or conflict its name, else empty. Takes the place of the one before; settled may be NULL: none. */
void skerry_on_verdict(skerry_device* device, void (*settled)(uint64_t transaction, const char* verdict, const char* code, const char* message, void* data), void* data);

/* ---- what waits for a person; open conflicts are the rows of the table skerry_conflict ---- */

/** Decides a conflict, named by its id; fields are the values of SKERRY_MIX, with the others there are none. An ordinary transaction, sent
    like any other. Errors: not_found, invalid_argument (closed already, inside skerry_transaction(), no fields for SKERRY_MIX or some
    for another choice), and whatever the writes are refused with. */
int skerry_resolve(skerry_device* device, const char* conflict, skerry_choice choice, const skerry_field* fields, size_t count);
/** Open drafts, oldest first: a table of number (SKERRY_INT), code (its name), message, member, made_at (ISO 8601). `*result` is to be given
    back with skerry_table_free(); NULL on failure. */
int skerry_drafts(skerry_device* device, skerry_table** result);
/** Changes what a draft would write to a row; nothing is sent. Giving an inserted row's key attribute another value moves the row. Errors: not_found
    (draft, row or attribute), value_invalid, key_update, key_taken, invalid_argument (the draft deletes the row). */
int skerry_edit_draft(skerry_device* device, uint64_t draft, const char* entity, const char* key, const skerry_field* fields, size_t count);
/** Does the changes of the draft's whole group again. `*transaction`, if not NULL, is the number of the transaction that does it; 0: the
    group was of an earlier identity of the file and nothing was left to do. What was to decide a conflict that is decided meanwhile is left out:
    `*decided`, if decided is not NULL, is a table of their ids (conflict), to be given back with skerry_table_free(), NULL on failure.
    `*nothing_left`, if not NULL, is 1 where nothing else was in the group, which is dropped then, else 0. On an error nothing is done and the drafts
    stay: not_found (draft, or a row that it updates), key_taken, and whatever the writes are refused with. */
int skerry_retry_draft(skerry_device* device, uint64_t draft, uint64_t* transaction, int* nothing_left, skerry_table** decided);
/** Drops the draft's whole group, here and on the server. Errors: not_found. */
int skerry_discard_draft(skerry_device* device, uint64_t draft);

#ifdef __cplusplus
}
#endif
#endif
