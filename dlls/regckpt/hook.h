/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt.dll: loaded into the processes of a protected program, it hooks what changes the registry
 * beneath the Win32 Reg* functions, in ntdll, and reports each change below a registered key into
 * the ring (ring.h).  It opens no file of the store, starts no thread, and changes no result: every
 * call returns exactly what the real one returned, last error and errno included.
 *
 * How it gets into a process.  The resource's run directory holds
 *     ring                 the ring
 *     regckpt.dll.so       a symbolic link to the installed DLL, 64-bit
 *     regckpt32.dll.so     the same, 32-bit (where there is one)
 * and what is loaded is that link, by its full path: the DLL finds the ring beside the path it was
 * loaded by (dladdr), needs no environment, and hands the same directory on to the program's
 * children.  The injectors regckpt-inject.exe.so and regckpt-inject32.exe.so lie beside the
 * installed DLL. LoadLibrary fails, and nothing is hooked, where the ring cannot be mapped, is
 * closed, or a stub of ntdll has another shape than is known (hook_stub.c): all hooks or none.
 */
#ifndef REGCKPT_HOOK_H
#define REGCKPT_HOOK_H

#define HOOK_RING "ring"
#define HOOK_DLL64 "regckpt.dll.so"
#define HOOK_DLL32 "regckpt32.dll.so"
#define HOOK_INJECTOR64 "regckpt-inject.exe.so"
#define HOOK_INJECTOR32 "regckpt-inject32.exe.so"

#define HOOK_CHILD_WAIT_MS 5000 /* how long hooking may delay a child; then it runs without */

#endif
