# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual pages, installed by their section.
man_PAGES = ocf_regckpt_wineservice.7 regckpt-cluster.1 regckpt-formats.5 \
	regckpt-host.8 regckpt-monitor.8 regckpt-monitoring.7 regckpt.1 regckpt.7 regckpt.conf.5
