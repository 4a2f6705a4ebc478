# SPDX-License-Identifier: LGPL-2.1-or-later
# Test programs for the patched wineserver: PROGRAM.c makes out/server/PROGRAM64.exe, and with winegcc
# out/server/PROGRAM.exe.so.
servertest_PROGRAMS = directcall flusher keepwriting reconfigure renamer treeloader
servertest_WINELIB = unixwriter
