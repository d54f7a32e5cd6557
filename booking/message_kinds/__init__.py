"""One file per message kind, found by `register_kinds`.

A new kind is a new file in one of the folders here, plus an email template in templates/emails unless it uses an
existing one.
"""
