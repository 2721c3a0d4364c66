/* exchange - one request and its answer over one link: see client.h. */
#include "base/clock.h"
#include "client/client.h"
#include "codec/put.h"

/* Our process of this call. */
static enum elfs_code make_pid(struct elfs_client *client, struct elfs_client_exchange *exchange) {
    struct elfs_identity self = {elfs_view_str(ei_thisnodename(&client->self)),
                                 client->self.creation};
    struct elfs_buf buf;
    elfs_buf_init(&buf, sizeof exchange->pid);
    client->calls++;
    elfs_put_pid(&buf, &self, (uint32_t)client->calls, (uint32_t)(client->calls >> 32));
    enum elfs_code code = buf.status;
    if (code == ELFS_OK) memcpy(exchange->pid, buf.data, buf.len);
    exchange->pid_len = buf.len;
    elfs_buf_fini(&buf);
    return code;
}

/* Connected first: the node is told how much time is left, and connecting takes some. */
enum elfs_code elfs_client_send(struct elfs_client *client, struct elfs_client_link *link,
                                const struct elfs_client_request *request, int64_t deadline_ms,
                                struct elfs_client_exchange *exchange, struct elfs_error *err) {
    struct elfs_buf frame;
    int64_t connect_by = elfs_clock_ms() + client->connect_timeout_ms;
    if (connect_by > deadline_ms) connect_by = deadline_ms;
    exchange->link = link;
    enum elfs_code code = elfs_client_link_open(link, &client->self, connect_by, err);
    if (code != ELFS_OK) return code;
    elfs_buf_init(&frame, client->max_frame);
    code = make_pid(client, exchange);
    if (code == ELFS_OK)
        code = elfs_client_request_put(&frame, request,
                                       (struct elfs_view){exchange->pid, exchange->pid_len},
                                       deadline_ms - elfs_clock_ms());
    if (code == ELFS_OK)
        code = elfs_client_link_send(link, (struct elfs_view){frame.data, frame.len}, deadline_ms,
                                     err);
    else
        elfs_fail(err, code, "the request: %s", elfs_code_text(code));
    elfs_buf_fini(&frame);
    return code;
}

enum elfs_code elfs_client_await(struct elfs_client_exchange *exchange, int64_t deadline_ms,
                                 struct elfs_client_reply *reply, struct elfs_error *err) {
    struct elfs_view message;
    struct elfs_view pid = {exchange->pid, exchange->pid_len};
    enum elfs_code code = elfs_client_link_receive(exchange->link, pid, deadline_ms, &message, err);
    if (code == ELFS_OK && elfs_client_reply_read(message, reply) != ELFS_OK) {
        code = elfs_fail(err, ELFS_MALFORMED, "%s gave an answer that is not understood",
                         exchange->link->node);
        elfs_client_link_close(exchange->link);
    }
    return code;
}
