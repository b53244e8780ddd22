"""Waits until IOCs answer, to the millisecond, without being in their way.

A plain connect() would be late: while an address does not exist yet the kernel repeats its ARP question only once a
second. So we ask by ARP ourselves, connect when the address is there, and stay connected and silent afterwards, as
traffic on procServ's console delays its child.
"""
import fcntl
import pathlib
import select
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "packaging/dev"))
from outside import MINOR, SEARCH, VERSION, message, name_bytes  # noqa: E402

ETH_P_ARP = 0x0806
SIOCGIFHWADDR, SIOCGIFADDR = 0x8927, 0x8915  # man 7 netdevice
PAUSE = 0.002  # seconds between two rounds of questions


class Waiter:
    """wait() returns {address: {"7001": seconds, "ca": seconds}} since `start` (time.monotonic())."""

    def __init__(self, bridge):
        self.arp = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
        self.arp.bind((bridge, ETH_P_ARP))
        self.arp.setblocking(False)
        name = struct.pack("256s", bridge.encode())
        self.mac = fcntl.ioctl(self.arp, SIOCGIFHWADDR, name)[18:24]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            self.address = fcntl.ioctl(any_socket, SIOCGIFADDR, name)[20:24]

    def ask_arp(self, address):
        frame = b"\xff" * 6 + self.mac + struct.pack(">HHHBBH", ETH_P_ARP, 1, 0x0800, 6, 4, 1)
        self.arp.send(frame + self.mac + self.address + b"\0" * 6 + socket.inet_aton(address))

    def read_arp(self):
        """Addresses whose owners have spoken."""
        heard = set()
        while True:
            try:
                frame = self.arp.recv(128)
            except BlockingIOError:
                return heard
            heard.add(socket.inet_ntoa(frame[28:32]))

    def wait(self, start, pvs, timeout, hopeless):
        """`pvs`: address -> a PV of the IOC there. TimeoutError names who is missing, at once when hopeless()."""
        done = {address: {} for address in pvs}
        here, tcp = set(), {}
        search_pause, next_search = PAUSE * max(1, len(pvs) / 2), {}  # many IOCs: gently
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        poller = select.poll()
        while missing := [a for a in pvs if len(done[a]) < 2]:
            now = time.monotonic()
            if now - start > timeout or hopeless():
                raise TimeoutError(f"no answer after {now - start:.0f} s: {', '.join(missing)}; got {done}")
            for address in missing:
                if address not in here:
                    self.ask_arp(address)
                    continue
                if "7001" not in done[address] and address not in tcp.values():
                    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                    connection.connect_ex((address, 7001))
                    tcp[connection] = address
                    poller.register(connection, select.POLLIN)
                if "ca" not in done[address] and next_search.get(address, 0) <= now:
                    next_search[address] = now + search_pause
                    search = message(SEARCH, name_bytes(pvs[address]), 5, MINOR, 1, 1)
                    try:
                        udp.sendto(message(VERSION, count=MINOR) + search, (address, 5064))
                    except ConnectionRefusedError:
                        pass  # the ICMP answer to an earlier search: nobody listens yet
            by_number = {connection.fileno(): connection for connection in tcp}
            for number, _ in poller.poll(PAUSE * 1000):
                connection = by_number[number]
                try:
                    greeting = connection.recv(64)
                except OSError:
                    greeting = b""
                if greeting:
                    done[tcp[connection]]["7001"] = time.monotonic() - start
                    poller.unregister(connection)
                else:  # refused or closed: again in the next round
                    poller.unregister(connection)
                    del tcp[connection]
                    connection.close()
            while True:
                try:
                    _, (sender, _) = udp.recvfrom(512)
                except BlockingIOError:
                    break
                except ConnectionRefusedError:
                    continue
                done.get(sender, {}).setdefault("ca", time.monotonic() - start)
            here |= self.read_arp()
            time.sleep(PAUSE)
        for connection in tcp:
            connection.close()
        return done
