# SPDX-License-Identifier: LGPL-2.1-or-later
# regckpt-monitor.
monitor_SOURCES = \
	absorb.c \
	capture.c \
	displaced.c \
	editing.c \
	engine.c \
	events.c \
	exit_code.c \
	front.c \
	going_online.c \
	hooked.c \
	hooked_turn.c \
	keys.c \
	launch.c \
	listener.c \
	monitor_log.c \
	notify.c \
	path_set.c \
	patience.c \
	reap.c \
	requests.c \
	restore.c \
	storage.c \
	wait.c
monitor_MAIN = \
	monitor_main.c
