/* Two devices of one app, in C: both write without a network, then meet. The same as two_devices.cpp, which tells more.

     skerry init places --model examples/two_devices.yaml
     skerry token places --user ann --out ann.token
     skerry token places --user ben --out ben.token
     skerry serve places &
     cc -o two_devices_c examples/two_devices.c $(pkg-config --cflags --libs skerry)
     ./two_devices_c http://127.0.0.1:8737 ann.token ben.token */
#include <skerry/skerry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(int code, skerry_device* device) {
    if (code == 0) return;
    fprintf(stderr, "%s\n", skerry_message(device));
    exit(1);
}

static skerry_value text(const char* content) {
    skerry_value value = {SKERRY_TEXT, 0, 0, content, strlen(content)};
    return value;
}

static skerry_device* open_device(const char* path, const char* server, const char* token_file) {
    char token[256];
    FILE* file = fopen(token_file, "r");
    if (file == NULL || fgets(token, sizeof token, file) == NULL) {
        fprintf(stderr, "cannot read a token from %s\n", token_file);
        exit(1);
    }
    fclose(file);
    token[strcspn(token, "\r\n")] = 0;

    skerry_options options = {sizeof options, path, server, token, path};
    skerry_device* device = NULL;
    char* message = NULL;
    if (skerry_open(&options, &device, &message) != 0) {
        fprintf(stderr, "%s\n", message);
        skerry_free(message);
        exit(1);
    }
    return device;
}

static const char* shown(skerry_value value) { return value.type == SKERRY_TEXT ? (const char*)value.bytes : "nobody"; }

static void show(const char* whose, skerry_device* device) {
    skerry_table* notes = NULL;
    need(skerry_sql(device, "SELECT author, body FROM note ORDER BY author, id", NULL, 0, &notes), device);
    printf("%s has:\n", whose);
    for (size_t row = 0; row < skerry_table_rows(notes); ++row)
        printf("  %s: %s\n", shown(skerry_table_value(notes, row, 0)), shown(skerry_table_value(notes, row, 1)));
    skerry_table_free(notes);
}

/* A place and a note about it: seen whole or not at all, everywhere. */
static int write_both(skerry_device* device, void* data) {
    char place[37], note[37];
    (void)data;
    skerry_new_uuid(device, place);
    skerry_new_uuid(device, note);
    skerry_value of_place[] = {text(place)};
    int code = skerry_sql(device, "INSERT INTO place (id, name, population) VALUES (?1, 'Skerryvore', 3)", of_place, 1, NULL);
    if (code != 0) return code;
    skerry_value of_note[] = {text(note), text(place)};
    return skerry_sql(device, "INSERT INTO note (id, place_id, body, author) VALUES (?1, ?2, 'a light on the rocks', 'ann')", of_note, 2, NULL);
}

int main(int argc, char** argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: two_devices_c SERVER_URL ANN_TOKEN_FILE BEN_TOKEN_FILE\n");
        return 2;
    }
    skerry_device* ann = open_device("ann-c.db", argv[1], argv[2]);
    skerry_device* ben = open_device("ben-c.db", argv[1], argv[3]);

    need(skerry_transaction(ann, write_both, NULL, 0), ann);
    char note[37];
    skerry_new_uuid(ben, note);
    skerry_value of_note[] = {text(note)};
    need(skerry_sql(ben, "INSERT INTO note (id, body, author) VALUES (?1, 'gone fishing', 'ben')", of_note, 1, NULL), ben);

    need(skerry_sync(ann, NULL, NULL), ann);
    need(skerry_sync(ben, NULL, NULL), ben);
    need(skerry_sync(ann, NULL, NULL), ann);
    show("ann", ann);
    show("ben", ben);
    skerry_close(ann);
    skerry_close(ben);
    return 0;
}
