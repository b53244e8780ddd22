#!/usr/bin/env python3
"""What a client elsewhere on the network sees of an IOC: written apart from clara, with the standard library only.

usage: outside.py ADDRESS PV     prints the proof, one line a port; exit 1 where one does not answer
"""
import socket
import struct
import sys
import time

# Channel Access, "CAproto": 16 byte header = command, payload size, data type, count, parameter 1, parameter 2.
VERSION, SEARCH, READ_NOTIFY, CREATE_CHAN = 0, 6, 15, 18
DBR_STRING, MINOR = 0, 13


def message(command, payload=b"", kind=0, count=0, first=0, second=0):
    payload += b"\0" * (-len(payload) % 8)
    return struct.pack(">HHHHII", command, len(payload), kind, count, first, second) + payload


def name_bytes(pv):
    return pv.encode() + b"\0"


def ca_search(address, pv, timeout):
    """The TCP port under which `address` itself says it serves the PV, None without an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(timeout)
        udp.sendto(message(VERSION, count=MINOR) + message(SEARCH, name_bytes(pv), 5, MINOR, 1, 1), (address, 5064))
        try:
            data, (sender, _) = udp.recvfrom(4096)
        except (TimeoutError, ConnectionError):
            return None
    while len(data) >= 16:
        command, size, port = struct.unpack(">HHH", data[:6])
        if command == SEARCH and sender == address:
            return port
        data = data[16 + size :]
    return None


def ca_get(address, port, pv, timeout):
    """The PV's value as a string."""
    with socket.create_connection((address, port), timeout) as tcp:
        stream = tcp.makefile("rb")
        tcp.sendall(message(VERSION, count=MINOR) + message(CREATE_CHAN, name_bytes(pv), first=1, second=MINOR))
        while head := stream.read(16):
            command, size, _, _, _, second = struct.unpack(">HHHHII", head)
            payload = stream.read(size)
            if command == CREATE_CHAN:
                tcp.sendall(message(READ_NOTIFY, kind=DBR_STRING, count=1, first=second, second=1))
            elif command == READ_NOTIFY:
                return payload.split(b"\0")[0].decode()
    raise ConnectionError(f"{address}:{port} closed the circuit of {pv}")


def banner(address, port, timeout):
    """The first line a server sends."""
    with socket.create_connection((address, port), timeout) as tcp:
        tcp.settimeout(timeout)
        return tcp.makefile("rb").readline(256).decode(errors="replace").strip()


def wait(ask, timeout):
    """Asks until it is answered with something; None after `timeout` seconds."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            if answer := ask():
                return answer
        except OSError:
            pass  # not up yet: that is what is waited for
        time.sleep(0.002)
    return None


def main():
    address, pv = sys.argv[1:]
    port = wait(lambda: ca_search(address, pv, 0.2), 10)
    answers = {
        "ssh 22": wait(lambda: banner(address, 22, 2), 10),
        "procServ 7001": wait(lambda: banner(address, 7001, 2), 10),
        "CA search 5064": port and f"{pv} is served on TCP {port}",
        "CA value": port and wait(lambda: f"{pv} = {ca_get(address, port, pv, 5)}", 5),
    }
    for what, answer in answers.items():
        print(f"  {address:15} {what:15} {answer or 'NO ANSWER'}")
    sys.exit(0 if all(answers.values()) else 1)


if __name__ == "__main__":
    main()
