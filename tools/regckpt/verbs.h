/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verbs: each is called with its own name as argv[0] and returns the exit code.
 */
#ifndef REGCKPT_VERBS_H
#define REGCKPT_VERBS_H

int verb_add(int argc, char **argv);
int verb_agent(int argc, char **argv);
int verb_create(int argc, char **argv);
int verb_delete(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_edit(int argc, char **argv);
int verb_exclude(int argc, char **argv);
int verb_export(int argc, char **argv);
int verb_import(int argc, char **argv);
int verb_import_mscs(int argc, char **argv);
int verb_init(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_log(int argc, char **argv);
int verb_offline(int argc, char **argv);
int verb_online(int argc, char **argv);
int verb_regedit(int argc, char **argv);
int verb_remove(int argc, char **argv);
int verb_repair(int argc, char **argv);
int verb_rollback(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_save(int argc, char **argv);
int verb_set(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_unwrap(int argc, char **argv);
int verb_upgrade(int argc, char **argv);
int verb_verify(int argc, char **argv);
int verb_wrap(int argc, char **argv);

#endif
