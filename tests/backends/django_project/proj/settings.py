"""Its settings: CT_BROKER says where the broker is, CT_DATABASE holds the database as JSON."""

import json
import os

SECRET_KEY = "not secret: a test's"
USE_TZ = True
INSTALLED_APPS = ["django_celery_results", "proj"]
DATABASES = {"default": json.loads(os.environ["CT_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CELERY_BROKER_URL = os.environ["CT_BROKER"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_TRACK_STARTED = True
