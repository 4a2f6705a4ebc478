# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual pages, installed by their section.
man_PAGES = regckpt-cluster.1 regckpt.1
