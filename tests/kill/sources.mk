# SPDX-License-Identifier: LGPL-2.1-or-later
# Windows test programs, built for both widths: PROGRAM.c makes out/kill/PROGRAM64.exe and
# out/kill/PROGRAM32.exe.
killtest_PROGRAMS = killwriter
