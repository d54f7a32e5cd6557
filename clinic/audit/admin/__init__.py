"""The logs in the admin, and base classes of admin pages about patients."""

from clinic.audit.admin.bases import (
    SEARCHES_KEPT,
    KeepsNoLog,
    LogsNoName,
    PrivateChangeList,
    PrivateSearch,
    ReadOnly,
    RecordsAccess,
)
from clinic.audit.admin.logs import AccessEventAdmin, SignInEventAdmin

__all__ = [
    "SEARCHES_KEPT",
    "AccessEventAdmin",
    "KeepsNoLog",
    "LogsNoName",
    "PrivateChangeList",
    "PrivateSearch",
    "ReadOnly",
    "RecordsAccess",
    "SignInEventAdmin",
]
