import ctypes
import gc

from engine.assembly import create_application
from engine.kernel.settings import Settings
from engine.web.flask_app import create_flask

application = create_flask(create_application(Settings.from_environment()))
gc.collect()
libc = ctypes.CDLL(None)
if hasattr(libc, "malloc_trim"):
    libc.malloc_trim(0)  # what starting up needed for a while goes back to the system: some ten megabytes
gc.freeze()  # what was loaded stays: the collector needn't walk it in the middle of a request
