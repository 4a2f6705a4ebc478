# SPDX-License-Identifier: LGPL-2.1-or-later
# The command, regckpt: one verb a file.
command_SOURCES = \
	access.c \
	add.c \
	addkeys.c \
	agent.c \
	agentmonitor.c \
	agentstart.c \
	agentstop.c \
	cli.c \
	commandline.c \
	compare.c \
	create.c \
	delete.c \
	diff.c \
	diffside.c \
	display.c \
	doctor.c \
	each.c \
	edit.c \
	excludekey.c \
	export.c \
	exporthive.c \
	hookcheck.c \
	import.c \
	importhive.c \
	importkeys.c \
	importmscs.c \
	init.c \
	json.c \
	keymatch.c \
	keytext.c \
	list.c \
	livekeys.c \
	log.c \
	mscsplan.c \
	mscsread.c \
	newfile.c \
	offline.c \
	online.c \
	pacemaker.c \
	peer.c \
	progress.c \
	property_options.c \
	query.c \
	regedit.c \
	remove.c \
	repair.c \
	restorelocal.c \
	rollback.c \
	rollback_plan.c \
	run.c \
	runcommand.c \
	save.c \
	set.c \
	show.c \
	startmonitor.c \
	status.c \
	statusmetrics.c \
	statusprint.c \
	statusread.c \
	statuswatch.c \
	storeask.c \
	storecall.c \
	storewatch.c \
	table.c \
	timepoint.c \
	unwrap.c \
	upgrade.c \
	verdict.c \
	verify.c \
	wineside.c \
	winetree.c \
	words.c \
	wrap.c
command_MAIN = \
	main.c
# regckpt-cluster: the same with cluster.exe's words.
cluster_MAIN = \
	cluster_main.c
