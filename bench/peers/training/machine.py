"""What this machine can do, for the floors: matrix products, copies, square roots and divisions.

    python machine.py             measures and prints one JSON object

Every figure is taken with one core at work, and with all of them at once: one process a core, so that no threads wait for
each other.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

N_CORES = len(os.sched_getaffinity(0))
PRODUCT = 1024
# Bytes that a copy touches, read and written: up to within a core's cache, and far beyond all caches.
COPIES = [2**exponent for exponent in range(18, 30)]
ROUNDS = 50


def seconds(work, least=0.002, most=1.0):
    """The seconds of one call: the best of some rounds, which are short, so that one may go undisturbed."""
    work()
    times, repeats, begin = [], 1, time.perf_counter()
    while len(times) < 3 or (len(times) < ROUNDS and time.perf_counter() - begin < most):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        took = time.perf_counter() - start
        if took < least and not times:
            repeats *= 2
        else:
            times.append(took / repeats)
    return min(times)


def measure():
    """The figures of this process's core."""
    random = np.random.default_rng(0)
    a, b = (random.random((PRODUCT, PRODUCT), dtype=np.float32) for _ in range(2))
    out = np.empty_like(a)
    found = {"flops": 2 * PRODUCT**3 / seconds(lambda: np.matmul(a, b, out=out))}
    copies = []
    for size in COPIES:
        source, target = aligned(size // 8), aligned(size // 8)
        copies.append(size / seconds(lambda: np.copyto(target, source)))
    found["copies"] = copies
    found["roots"] = 1 / (per_element(np.sqrt) + per_element(lambda x, out: np.divide(x, x, out=out)))
    return found


def aligned(length):
    """An array that begins with a page: copies of some lengths are ten times slower between others."""
    bytes_ = np.ones(4 * length + 4096, np.uint8)
    start = -bytes_.ctypes.data % 4096
    return bytes_[start : start + 4 * length].view(np.float32)


def per_element(function):
    """The seconds an element, without those of the call itself: the difference of two sizes that fit a core's cache."""
    small, large = (np.full(n, 1.5, np.float32) for n in (2048, 4096))
    times = [seconds(lambda: function(x, out=out)) for x, out in ((x, np.empty_like(x)) for x in (small, large))]
    return (times[1] - times[0]) / (len(large) - len(small))


def busy(seconds=2.0):
    """How many cores other programs keep busy while this one waits."""

    def idle_and_all():
        with open("/proc/stat") as file:
            times = [int(word) for word in file.readline().split()[1:9]]
        return times[3] + times[4], sum(times)

    before = idle_and_all()
    time.sleep(seconds)
    idle, all_ = (after - before for after, before in zip(idle_and_all(), before))
    return N_CORES * (1 - idle / all_)


def together(n_processes):
    """The figures of so many cores at work at once, as their mean."""
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    environment |= {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--one"]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(n_processes)]
    answers = [json.loads(process.communicate()[0]) for process in processes]
    copies = [statistics.mean(values) for values in zip(*(answer["copies"] for answer in answers))]
    return {key: statistics.mean(a[key] for a in answers) for key in ("flops", "roots")} | {"copies": copies}


def bandwidth(figures, n_bytes):
    """The bytes a second, read and written, of a core that goes over so many bytes again and again."""
    at = min(range(len(COPIES)), key=lambda i: abs(np.log(COPIES[i] / n_bytes)))
    return figures["copies"][at]


def main():
    if "--one" in sys.argv:
        print(json.dumps(measure()))
    else:
        print(json.dumps({"n_cores": N_CORES, "one": together(1), "all": together(N_CORES)}))


if __name__ == "__main__":
    main()
