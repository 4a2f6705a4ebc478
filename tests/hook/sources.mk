# SPDX-License-Identifier: LGPL-2.1-or-later
# Windows test programs, built for both widths: PROGRAM.c makes out/hook/PROGRAM64.exe and
# out/hook/PROGRAM32.exe.
hooktest_PROGRAMS = chainer racer
