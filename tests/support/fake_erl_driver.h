/* fake_erl_driver - a stand-in for the BEAM around a port driver: the few functions of erl_driver.h
 * that driver.c calls, and what the VM does with a driver and its ports.
 *
 * Like the VM it calls the functions of a port one at a time, lets any thread send to the port's
 * owner, and drops what is sent for a port that is closed. Misuse fails the test. The driver is the
 * one that is linked in.
 */
#ifndef ELFS_TESTS_FAKE_ERL_DRIVER_H
#define ELFS_TESTS_FAKE_ERL_DRIVER_H

#include <stdbool.h>

#include "base/view.h"

struct fake_port;

void fake_driver_load(void);
/* Closes the ports that are open first, as kill_ports does. */
void fake_driver_unload(void);
/* The driver was locked in memory since it was loaded. */
bool fake_driver_is_locked(void);

/* NULL if the driver refuses. */
struct fake_port *fake_port_open(void);
void fake_port_close(struct fake_port *port);

void fake_port_command(struct fake_port *port, struct elfs_view bytes);
/* False: badarg. result->data is to be freed with free(3). */
bool fake_port_control(struct fake_port *port, unsigned command, struct elfs_view arg,
                       struct elfs_view *result);

/* The next message for the owner, to be freed likewise; waits 10 s at most. False: the port has
 * failed, and there is none left. */
bool fake_port_receive(struct fake_port *port, struct elfs_view *message);

#endif
