"""What the RQ workers of the tests work on."""

import os
import threading

import rq


def pack():
    pass


def spoil():
    raise ValueError("rotten")


def tell_pid_and_sleep():
    job = rq.get_current_job()
    job.meta["pid"] = os.getpid()
    job.save_meta()
    threading.Event().wait(60)
