"""What an application imports to be watched: HTTP, tasks, pools, caches and the process itself.

    from watchkeeper.instrument import Instrumentation

    instrumentation = Instrumentation(service="taskboard")
    app.wsgi_app = instrumentation.http.wrap(app.wsgi_app)
    app.wsgi_app = instrumentation.pages().mount(app.wsgi_app)

Needs nothing but prometheus-client; no instrument ever raises into the application's own work.
"""

from watchkeeper.instrument.exposition import OperationalPages, PageServer
from watchkeeper.instrument.front import Instrumentation

__all__ = ["Instrumentation", "OperationalPages", "PageServer"]
