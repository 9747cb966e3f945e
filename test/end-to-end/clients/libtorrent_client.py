"""Shares one torrent with libtorrent until its standard input ends; prints every alert.

Arguments: the .torrent file, the download folder, libtorrent's listen_interfaces.
Peers come from the tracker alone: no DHT, no local discovery, no port mapping, and without the default plugins
no peer exchange either.
"""

import select
import sys

import libtorrent

torrent_path, downloads, interfaces = sys.argv[1:]
session = libtorrent.session(
    {
        "listen_interfaces": interfaces,
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "alert_mask": libtorrent.alert.category_t.tracker_notification
        | libtorrent.alert.category_t.status_notification
        | libtorrent.alert.category_t.connect_notification
        | libtorrent.alert.category_t.error_notification,
    },
    flags=0,  # without add_default_plugins: no ut_pex
)
session.add_torrent({"ti": libtorrent.torrent_info(torrent_path), "save_path": downloads})

while not select.select([sys.stdin], [], [], 0.1)[0]:
    for alert in session.pop_alerts():
        print(alert.what(), alert.message())
