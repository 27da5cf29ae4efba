from engine.assembly import create_application
from engine.kernel.settings import Settings
from engine.web.flask_app import create_flask

application = create_flask(create_application(Settings.from_environment()))
