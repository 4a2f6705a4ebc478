# SPDX-License-Identifier: LGPL-2.1-or-later
# libregckpt.a, and what of it is built a second time for the Wine side.
libregckpt_SOURCES = \
	before.c \
	casemap.c \
	checkpoint.c \
	checkpoint_change.c \
	checkpoint_head.c \
	checkpoint_record.c \
	checkpoint_repair.c \
	checkpoint_tidy.c \
	checkpoint_verify.c \
	content.c \
	content_heads.c \
	content_images.c \
	content_sort.c \
	content_suspects.c \
	ctlproto.c \
	error.c \
	exclude.c \
	glob.c \
	history.c \
	hive_bins.c \
	hive_read.c \
	hive_walk.c \
	hive_write.c \
	hostlink.c \
	hostlink_names.c \
	hostlink_program.c \
	hostlink_registry.c \
	hostlink_restore.c \
	hostlink_scan.c \
	hostlink_twins.c \
	image.c \
	image_apply.c \
	image_diff.c \
	keyname.c \
	keyname_rules.c \
	last_good.c \
	leftover.c \
	message.c \
	message_socket.c \
	owner.c \
	pack.c \
	peer_meet.c \
	prefix_processes.c \
	put_back.c \
	record_content.c \
	regfile_read.c \
	regfile_text.c \
	regfile_value.c \
	regfile_write.c \
	registered_key.c \
	registered_key_pack.c \
	repair_write.c \
	resource.c \
	ring_file.c \
	ring_keys.c \
	ring_lane.c \
	ring_monitor.c \
	ring_read.c \
	ring_wait.c \
	ring_write.c \
	settings.c \
	snapshot.c \
	store.c \
	store_fs.c \
	store_peer.c \
	store_probe.c \
	store_resource.c \
	takeover.c \
	tdbfile.c \
	tdbrecover.c \
	tdbsalvage.c \
	undo.c \
	utf16.c \
	way_out.c \
	wine_place.c \
	winereg.c \
	winereg_file.c \
	winereg_text.c \
	winereg_value.c \
	winereg_write.c \
	wrapped.c

libregckpt_WINE_SOURCES = \
	error.c \
	message.c \
	message_socket.c \
	pack.c

# In the DLL, compiled by winegcc for both widths.
libregckpt_HOOK_SOURCES = \
	casemap.c \
	error.c \
	ring_file.c \
	ring_keys.c \
	ring_lane.c \
	ring_wait.c \
	ring_write.c \
	utf16.c
