#!/usr/bin/env python3
"""usage: libca.py PV: the value as text, by Debian's own libca (package libca-dev; it has no headers, and
python3-pyepics would bring 380 MB of wxWidgets along). Prototypes: CAref, "Function Call Interface"."""
import ctypes
import ctypes.util
import sys

DBR_STRING, ECA_NORMAL, STRING_SIZE, WAIT_S = 0, 1, 40, 5.0
ca = ctypes.CDLL(ctypes.util.find_library("ca"))


def must(status, what):
    if status != ECA_NORMAL:
        ca.ca_message.restype = ctypes.c_char_p
        sys.exit(f"libca: {what}: {ca.ca_message(status).decode()}")


channel, value = ctypes.c_void_p(), ctypes.create_string_buffer(STRING_SIZE)
must(ca.ca_context_create(0), "context")
must(ca.ca_create_channel(sys.argv[1].encode(), None, None, 0, ctypes.byref(channel)), "channel")
must(ca.ca_pend_io(ctypes.c_double(WAIT_S)), f"search for {sys.argv[1]}")
must(ca.ca_array_get(DBR_STRING, ctypes.c_ulong(1), channel, value), "get")
must(ca.ca_pend_io(ctypes.c_double(WAIT_S)), "get")
print(value.value.decode())
ca.ca_context_destroy()
