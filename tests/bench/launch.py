"""`python launch.py OUTPUT COMMAND…`: run a command, and print as JSON its status, its seconds, its peak memory in
bytes and its seconds of processor time.

A process of its own and a small one: the kernel counts towards a command's peak what the process that started it had.
"""

import json
import os
import sys
from time import perf_counter

if __name__ == "__main__":
    output = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    start = perf_counter()
    child = os.posix_spawn(
        sys.argv[2],
        sys.argv[2:],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
    )
    _, status, usage = os.wait4(child, 0)
    taken = perf_counter() - start
    busy = usage.ru_utime + usage.ru_stime
    print(json.dumps([os.waitstatus_to_exitcode(status), taken, usage.ru_maxrss * 1024, busy]))
