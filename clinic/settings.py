"""All settings. Those that differ between machines are read from the environment, through `clinic.env`."""

import os
from pathlib import Path

import bootstrap_wrapper
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from clinic.env import EnvironmentInvalid, read_environment

BASE_DIR = Path(__file__).resolve().parent.parent
try:
    ENV = read_environment(os.environ)
except EnvironmentInvalid as error:
    raise ImproperlyConfigured(f"This cannot start yet:\n{error}") from None

DEBUG = False  # never True: debug pages show form data, which may be a patient's
SECRET_KEY = ENV.secret_key
COOKIE_PREFIX = "__Host-" if ENV.is_production else ""  # binds a cookie to this host and to https
ALLOWED_HOSTS = list(ENV.allowed_hosts)
SITE_URL = ENV.site_url
BEHIND_PROXY = ENV.is_behind_proxy
ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"

INSTALLED_APPS = [
    "clinic.apps.ClinicAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "clinic.apps.ClinicStaticFilesConfig",
    "django.contrib.postgres",
    "django.contrib.sitemaps",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "heroicons",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "clinic.practice",
    "clinic.outbox",
    "clinic.audit",
    "clinic.staff",
    "clinic.demo",
    "education",
    "assessments",
    "booking",
]

MIDDLEWARE = [
    "clinic.web.health.Probes",
    "clinic.web.public_pages.PublicPages",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "clinic.web.headers.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "clinic.web.body_limits.BodyLimits",
    "clinic.web.csrf.NoReferrerCsrfMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "clinic.staff.sign_in.middleware.StaffSessions",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic.audit.middleware.RecordsReading",
    "clinic.practice.middleware.ClinicReadOnce",
    "clinic.practice.middleware.BrokenLinkPages",
    "clinic.audit.middleware.UnopenedPages",
    "clinic.practice.middleware.AdminByClinicClock",
    "clinic.web.form_addresses.FormAddresses",
    "clinic.web.away.OncePrepared",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.csp",
                "clinic.practice.context.clinic",
            ],
        },
    }
]

# Booking takes an advisory lock before it reads. This needs READ COMMITTED (the default), and short time limits for
# lock waits and idle transactions.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **ENV.database,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": "5",  # seconds; libpq's default is minutes
            **ENV.database["OPTIONS"],
            "options": "-c lock_timeout=3s -c idle_in_transaction_session_timeout=10s -c timezone=UTC",
        },
    }
}

# Per process. "default" has the rendered texts of articles, "public_pages" whole pages of about 15 KB.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "public_pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "public_pages",
        "TIMEOUT": None,  # clinic.web.public_pages replaces outdated pages
        "OPTIONS": {"MAX_ENTRIES": 1000},
    },
}

AUTH_USER_MODEL = "practice.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "clinic.staff.sign_in.passwords.GuessableValidator"},
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "clinic.staff.roles.RoleBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = 12 * 60 * 60  # a working day; for staff, clinic.staff.sign_in.session_limits ends idle ones
SECOND_FACTOR_REQUIRED = ENV.is_production

# Sign-in by django-allauth: by email address, without sign-up, and with the rate limits of clinic.staff.sign_in
ACCOUNT_ADAPTER = "clinic.staff.sign_in.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation proves the address
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
ACCOUNT_FORMS = {
    "login": "clinic.staff.sign_in.forms.SignInForm",
    "change_password": "clinic.staff.sign_in.forms.NewOwnPasswordForm",
}
MFA_ADAPTER = "clinic.staff.sign_in.adapter.FactorAdapter"
MFA_FORMS = {
    "authenticate": "clinic.staff.sign_in.forms.SecondStepForm",
    "reauthenticate": "clinic.staff.sign_in.forms.ConfirmByCodeForm",
    "authenticate_webauthn": "clinic.staff.sign_in.forms.PasskeyStepForm",
    "reauthenticate_webauthn": "clinic.staff.sign_in.forms.ConfirmByPasskeyForm",
    "add_webauthn": "clinic.staff.sign_in.forms.PasskeyNameForm",
    "login_webauthn": "clinic.staff.sign_in.forms.PasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1  # 30 seconds early or late, for a phone whose clock is off
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENV.is_production  # http://localhost

MESSAGE_STORAGE = "clinic.staff.admin_messages.AdminMessages"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# The largest body of a request in bytes, and the routes that need more. deploy/nginx.conf and deploy/Caddyfile have the
# same limits.
BODY_LIMIT = 256 * 1024
BODY_LIMITS = {
    **dict.fromkeys(
        [f"admin:education_{name}" for name in ("picture_add", "article_add", "article_change", "article_preview")],
        21 * 1024 * 1024,
    ),
    "admin:assessments_questionnaire_upload": 4 * 1024 * 1024,
    **dict.fromkeys(["outbox:mailgun", "outbox:postmark"], 1024 * 1024),
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"  # instants are stored and computed in UTC; pages convert to the clinic's or the visitor's zone
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "clinic.formats"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", Path(bootstrap_wrapper.__file__).parent.parent / "bootstrap"),
]
STATICFILES_FINDERS = [
    "clinic.web.joined_sheet.JoinedSheetFinder",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not ENV.is_production  # an edited style sheet is served at once
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if ENV.is_production
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

MAILERS = {"default": ENV.email.mailer}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from
ENCRYPTION_KEYS = ENV.encryption_keys
MAILBOX_DIR = ENV.mailbox_dir
STATE_DIRECTORY = ENV.state_directory or ("" if ENV.name == "test" else BASE_DIR / "var" / "state")

# No third-party requests.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = ["security.W003"]  # expects Django's CSRF middleware; the site's is a subclass
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "clinic.views.csrf_failure"
if ENV.is_production:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(live|ready|health)/$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Logs identify rows by opaque ID, and never have a name, an address, a form or a patient's link.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact_links": {"()": "clinic.web.logs.RedactLinks"}},
    "formatters": {
        "line": {"()": "clinic.web.logs.QuietFormatter", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact_links"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
