# SPDX-License-Identifier: LGPL-2.1-or-later
# regckpt-monitor.
monitor_SOURCES = \
	capture.c \
	engine.c \
	exit_code.c \
	front.c \
	going_online.c \
	keys.c \
	launch.c \
	monitor_log.c \
	reap.c \
	requests.c \
	restore.c \
	wait.c
monitor_MAIN = \
	monitor_main.c
