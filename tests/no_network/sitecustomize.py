"""No connection leaves this machine. conftest.py runs this, and so does each child process.

Python imports a module of this name when it starts, if its folder is in PYTHONPATH. An attempt
is refused, and written to the file that LLMTOPICS_TEST_CONNECTIONS names. Connections that
libraries in C make by themselves are not seen.
"""

import os
import sys


def _is_local(host):
    import socket
    from ipaddress import ip_address

    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse(event, args):
    if not event.startswith("socket."):
        return
    import socket

    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        connection, address = args
        if address is None:  # that of the connection
            return
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return
        # connecting a datagram socket sends nothing: so libraries ask for this machine's address
        if event == "socket.connect" and connection.type & socket.SOCK_DGRAM:
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not _is_local(host):
        host = host.decode() if isinstance(host, bytes) else host
        with open(
            os.environ["LLMTOPICS_TEST_CONNECTIONS"], "a", encoding="utf-8"
        ) as log:
            log.write(f"{host}\n")
        raise socket.gaierror(f"The tests connect to this machine only, not to {host}.")


if "LLMTOPICS_TEST_CONNECTIONS" in os.environ and not hasattr(sys, "no_network"):
    sys.no_network = True
    sys.addaudithook(_refuse)
