# SPDX-License-Identifier: LGPL-2.1-or-later
# Windows test programs, built for both widths: PROGRAM.c with all helpers makes out/wine/PROGRAM64.exe
# and out/wine/PROGRAM32.exe.
winetest_PROGRAMS = fillkey frame_counts hook_children hook_durable hook_exports hook_handles hook_shape marker_key odd_content open_handles regdump regplay service_registry svcwriter
winetest_HELPERS =
winetest_LIBS = -ladvapi32 -lntdll
# Native programs that play what the hook talks to: out/wine/NAME, each of one source.
winetest_NATIVE = ringtool
