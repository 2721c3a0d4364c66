/* port_fuzz - a message to the port; what it asks for is complete, and its tag can be given back. */
#include <stdlib.h>

#include "app/port_proto.h"
#include "codec/term.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(struct elfs_view tag, const char *message) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1 << 20);
    elfs_port_put_error(&buf, tag, message);
    struct elfs_reader r = elfs_reader_of((struct elfs_view){buf.data, buf.len});
    if (elfs_term_version(&r) != ELFS_OK || elfs_term_skip(&r, NULL) != ELFS_OK ||
        elfs_reader_left(&r) != 0)
        abort();
    elfs_buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elfs_port_request request;
    struct elfs_error err;
    elfs_error_clear(&err);
    enum elfs_code code = elfs_port_parse((struct elfs_view){data, size}, &request, &err);
    if (code == ELFS_OK && request.kind == ELFS_PORT_CONFIGURE &&
        (!request.config.primary_file || !request.config.table_name))
        abort();
    if (code != ELFS_OK && err.message[0] == '\0') abort();
    check_error(request.tag, err.message);
    elfs_port_config_fini(&request.config);
    return 0;
}
