# SPDX-License-Identifier: LGPL-2.1-or-later
# What "make bench" measures with: native programs out/bench/NAME, each of one source, and Windows
# programs out/bench/NAME.exe.
bench_PROGRAMS = bench_commit bench_lag bench_scan
bench_WINE_PROGRAMS = hookbench regbench serverbench
