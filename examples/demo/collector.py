"""Stands for a stranger's machine: keeps what is sent to it.

usage: collector.py PORTFILE KEPT   (listens on a loopback port of its own choice until it is killed)
"""

import os
import socket
import sys


def main(port_file, kept):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with open(port_file + ".new", "w", encoding="utf-8") as file:
            file.write(str(server.getsockname()[1]))
        os.rename(port_file + ".new", port_file)
        while True:
            connection, _ = server.accept()
            with connection, open(kept, "ab") as file:
                while data := connection.recv(65536):
                    file.write(data)
                    file.flush()


main(*sys.argv[1:])
