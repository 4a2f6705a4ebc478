# SPDX-License-Identifier: LGPL-2.1-or-later
# regckpt.dll and its injectors, built by winegcc for both widths.
hook_SOURCES = \
	hook_call.c \
	hook_child.c \
	hook_create.c \
	hook_duplicate.c \
	hook_handles.c \
	hook_main.c \
	hook_names.c \
	hook_set_value.c \
	hook_stub.c \
	hook_table.c \
	hook_trees.c \
	hook_values.c \
	hook_where.c \
	inject.c
inject_SOURCES = \
	inject.c \
	inject_main.c
# What regckpt-host has of it.
hook_HOST_SOURCES = inject.c
hook_LIBS = -lntdll
