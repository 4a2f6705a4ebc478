# SPDX-License-Identifier: LGPL-2.1-or-later
# regckpt-host, built by winegcc.
host_SOURCES = \
	host_apply.c \
	host_args.c \
	host_ask.c \
	host_hook.c \
	host_launcher.c \
	host_main.c \
	host_marker.c \
	host_program.c \
	host_regedit.c \
	host_registry.c \
	host_report.c \
	host_service.c \
	host_text.c \
	host_watch.c
host_LIBS = -lntdll -ladvapi32
