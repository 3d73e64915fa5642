"""A small web application, instrumented as the guide says."""

from __future__ import annotations

import os

from flask import Flask

from watchkeeper.instrument import Instrumentation

instrumentation = Instrumentation("shop")
menu = instrumentation.caches.of("menu", level="memory")
app = Flask("shop")


@app.get("/orders/<int:order>")
def order(order):
    menu.count("hit")
    return str(os.getpid())


menu.count("miss")  # while the application is loaded
application = instrumentation.http.wrap(app)
