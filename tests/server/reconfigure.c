/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reconfigure SERVICE START DISPLAYNAME IMAGEPATH: gives a service another configuration, as sc config
 * does on Windows: services.exe writes it.  START is a number, as in the registry.
 */
#include "testprogram.h"

#define USAGE "reconfigure SERVICE START DISPLAYNAME IMAGEPATH"

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *name, *display, *image;
    SC_HANDLE manager, service;
    unsigned start;
    int at = 0;

    name = next_argument(argc, argv, &at, USAGE);
    start = next_number(argc, argv, &at, USAGE);
    display = next_argument(argc, argv, &at, USAGE);
    image = next_argument(argc, argv, &at, USAGE);
    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT)) ||
        !(service = OpenServiceW(manager, name, SERVICE_CHANGE_CONFIG)))
        return 1;
    return ChangeServiceConfigW(service, SERVICE_NO_CHANGE, start, SERVICE_NO_CHANGE, image, NULL, NULL, NULL,
                                NULL, NULL, display)
               ? 0
               : 2;
}
